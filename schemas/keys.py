"""Keys, chains and the partition that owns them.

Every topic of a source has the same number of partitions and the same partitioner, murmur2 as
Kafka's Java client computes it, so that all that concerns one chain meets on one worker.
"""

from __future__ import annotations

from typing import Final, NewType

Chain = NewType("Chain", str)  # source/target/model/record id
DeliveryId = NewType("DeliveryId", str)  # chain/route/sequence

MAX_DELIVERY_ID: Final = 200  # characters; what an Idempotency-Key may have
_M: Final = 0x5BD1E995
_SEED: Final = 0x9747B28C
_MASK: Final = 0xFFFFFFFF


def murmur2(data: bytes) -> int:
    """Kafka's 32-bit murmur2 of a key, unsigned."""
    length = len(data)
    h = _SEED ^ length
    whole = length & ~3
    for at in range(0, whole, 4):
        k = int.from_bytes(data[at : at + 4], "little") * _M & _MASK
        k = (k ^ (k >> 24)) * _M & _MASK
        h = (h * _M & _MASK) ^ k
    if whole < length:
        h = (h ^ int.from_bytes(data[whole:], "little")) * _M & _MASK
    h = (h ^ (h >> 13)) * _M & _MASK
    return h ^ (h >> 15)


def partition_of(key: str | bytes, partitions: int) -> int:
    """Return the partition of a key: positive murmur2 modulo the partition count."""
    data = key.encode() if isinstance(key, str) else key
    return (murmur2(data) & 0x7FFFFFFF) % partitions


def record_key(source: str, model: str, record_id: int) -> str:
    """Return the identity that never changes: `odoo_a.sale_order_42`."""
    return f"{source}.{model.replace('.', '_')}_{record_id}"


def chain_of(source: str, target: str, model: str, record_id: int) -> Chain:
    """Return the chain of one record at one target: `odoo_a/webshop/sale.order/42`."""
    return Chain(f"{source}/{target}/{model}/{record_id}")


def delivery_id(chain: Chain, route: str, sequence: str) -> DeliveryId:
    """Return the id that a delivery keeps over all attempts."""
    return DeliveryId(f"{chain}/{route}/{sequence}")


def split_delivery_id(text: str) -> tuple[Chain, str, str]:
    """Return (chain, route, sequence); ValueError where the text is not a delivery's id."""
    parts = text.rsplit("/", 2)
    well_formed = len(parts) == 3 and parts[0].count("/") == 3  # noqa: PLR2004  the form of an id
    if not well_formed or len(text) > MAX_DELIVERY_ID or not text.isascii():
        raise ValueError(f"not the id of a delivery: {text[:MAX_DELIVERY_ID]!r}")
    return Chain(parts[0]), parts[1], parts[2]
