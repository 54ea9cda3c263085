"""Gzip streams that no compressor would make: bombs, nested ones, ones with every optional field.

    bomb(b"name\\n", block, 1024)     `block` 1,024 times over, made without holding it
"""
import struct
import zlib

RAW = -15
MAGIC = b"\x1f\x8b\x08"
TEXT, HEADER_CRC, EXTRA, NAME, COMMENT = 1, 2, 4, 8, 16


def header(flags=0, more=b""):
    return MAGIC + bytes([flags]) + b"\0\0\0\0" + b"\0\xff" + more


def trailer(crc, size):
    return struct.pack("<II", crc, size & 0xFFFF_FFFF)


def bomb(head, block, times):
    """Of `head` and then `block` again and again. A flush in full makes each block's compressed
    bytes the same, so that they are compressed once."""
    packer = zlib.compressobj(9, zlib.DEFLATED, RAW)
    first = packer.compress(head) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    return (header() + first + again * times + packer.flush(zlib.Z_FINISH)
            + trailer(crc_of_many(zlib.crc32(head), block, times), len(head) + len(block) * times))


def crc_of_many(crc, block, times):
    """The CRC of what had `crc` and then `block` that many times. What a block does to a CRC is
    linear over bits, but for a constant: so `times` steps are a few squarings."""
    constant = zlib.crc32(block, 0)
    columns = [zlib.crc32(block, 1 << bit) ^ constant for bit in range(32)]

    def linear(state):
        result = 0
        for bit in range(32):
            if state >> bit & 1:
                result ^= columns[bit]
        return result
    while times:
        if times & 1:
            crc = linear(crc) ^ constant
        constant = linear(constant) ^ constant
        columns = [linear(column) for column in columns]
        times >>= 1
    return crc


def member(data, flags=0, more=b""):
    """One member whose header has the optional fields that `flags` names."""
    packer = zlib.compressobj(9, zlib.DEFLATED, RAW)
    packed = packer.compress(data) + packer.flush()
    return header(flags, more) + packed + trailer(zlib.crc32(data), len(data))


def decoded(body):
    """What a strict reader makes of it: the bytes of all members, or None."""
    data = b""
    while body:
        reader = zlib.decompressobj(31)
        try:
            data += reader.decompress(body)
        except zlib.error:
            return None
        if not reader.eof:
            return None
        body = reader.unused_data
    return data
