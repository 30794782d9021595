"""Where WSO2 sends: the targets and the intake of acknowledgements. Pure.

With OAuth 2 an endpoint is of another form, which the integrator alone knows: it fetches tokens,
keeps them, and asks for another after a 401.
"""

from __future__ import annotations

import re
from typing import Final
from xml.sax.saxutils import escape

from schemas.config import Config, Target
from schemas.config.hidden import password_of
from streams.flow import vault as secrets
from streams.flow.artifact import Artifact, NotGenerated, attribute

_URL: Final = re.compile(r"https?://[^\s{}]+")
_INTAKE_TIMEOUT: Final = 30.0  # seconds; more than the intake lets Kafka take

_ENDPOINT: Final = """\
<endpoint xmlns="http://ws.apache.org/ns/synapse" name="{name}">
    <{form}>
        <timeout>
            <duration>{milliseconds}</duration>
            <responseAction>fault</responseAction>
        </timeout>
        <!-- Codes that cannot occur, so that nothing is ever suspended:
             the stream worker alone decides when to try again. -->
        <suspendOnFailure>
            <errorCodes>1</errorCodes>
            <initialDuration>0</initialDuration>
            <progressionFactor>1</progressionFactor>
            <maximumDuration>0</maximumDuration>
        </suspendOnFailure>
        <markForSuspension>
            <errorCodes>1</errorCodes>
            <retriesBeforeSuspension>0</retriesBeforeSuspension>
        </markForSuspension>{authentication}
    </{kind}>
</endpoint>
"""
_OAUTH: Final = """
        <authentication>
            <oauth>
                <clientCredentials>
                    <clientId>{client}</clientId>
                    <clientSecret>{secret}</clientSecret>
                    <tokenUrl>{url}</tokenUrl>
                    <authMode>header</authMode>
                </clientCredentials>
            </oauth>
        </authentication>"""


def of_intake(config: Config) -> Artifact:
    """Return the endpoint at `acks.url`."""
    url = _url("acks.url", config.acks.url)
    return Artifact(_address("CdcAckIntake", url, _INTAKE_TIMEOUT))


def of_target(name: str, target: Target, *, vault: bool) -> Artifact:
    """Return the endpoint of a target. Raises NotGenerated for what WSO2 cannot be given."""
    url = _url(f"targets.{name}.url", target.url)
    secret = secrets.of_auth(target)
    if secret is None or "oauth2" not in target.auth:
        return Artifact(_address(f"CdcTarget_{name}", url, target.timeout))
    where, given = f"targets.{name}.auth.oauth2", target.auth["oauth2"]
    oauth = _OAUTH.format(
        client=secrets.evaluated(f"{where}.client_id", given["client_id"]),
        secret=secrets.in_text(secret, vault=vault),
        url=escape(_url(f"{where}.token_url", given["token_url"])),
    )
    form = f'http method="post" uri-template="{attribute(url)}"'
    text = _endpoint(f"CdcTarget_{name}", form, target.timeout, oauth)
    return Artifact(text, secret=not vault)


def _url(where: str, url: str) -> str:
    if not _URL.fullmatch(url):
        raise NotGenerated(
            f"{where}: this is no URL that WSO2 can be given",
            hint="Give it as http://host:port/path or https://...; {} and blanks as %7B %7D %20.",
        )
    if password_of(url):
        raise NotGenerated(
            f"{where} holds a password, which the endpoint's file would show",
            hint="Say it in the `auth` of the target; the intake's is `acks.token`.",
        )
    return url


def _address(name: str, url: str, timeout: float) -> str:
    return _endpoint(name, f'address uri="{attribute(url)}" format="rest"', timeout)


def _endpoint(name: str, form: str, timeout: float, authentication: str = "") -> str:
    return _ENDPOINT.format(
        name=name,
        form=form,
        kind=form.partition(" ")[0],
        milliseconds=max(1, round(timeout * 1000)),
        authentication=authentication,
    )
