#include "payload/payload_state.h"

#include <sodium.h>

#include "base/check.h"

namespace tallyman {
namespace {

constexpr std::string_view kMagic = "tally-p1";
constexpr std::size_t kHeadBytes = 64;
constexpr std::size_t kDigestBytes = std::tuple_size_v<PayloadDigest>;

void append_number(std::string& out, std::uint64_t number, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(number >> (8 * i) & 0xFF);
}

// Reads `bytes` bytes at the front and drops them. REQUIRES: they are there.
std::uint64_t take_number(std::string_view& from, int bytes) {
  std::uint64_t number = 0;
  for (int i = 0; i < bytes; ++i) {
    number |= static_cast<std::uint64_t>(static_cast<unsigned char>(from[i])) << (8 * i);
  }
  from.remove_prefix(bytes);
  return number;
}

PayloadDigest digest_of(std::string_view bytes) {
  PayloadDigest digest;
  CHECK(crypto_generichash(reinterpret_cast<unsigned char*>(digest.data()), digest.size(),
                           reinterpret_cast<const unsigned char*>(bytes.data()),
                           bytes.size(), nullptr, 0) == 0);
  return digest;
}

std::string_view text(const PayloadDigest& digest) {
  return {digest.data(), digest.size()};
}

PayloadDigest grown(const PayloadDigest& digest, std::string_view entry) {
  std::array<char, kDigestBytes + kIndexEntryBytes> both;
  text(digest).copy(both.data(), kDigestBytes);
  entry.copy(both.data() + kDigestBytes, kIndexEntryBytes);
  return digest_of({both.data(), both.size()});
}

std::optional<Piece> decode_entry(std::string_view entry) {
  Piece piece;
  piece.offset = take_number(entry, 8);
  piece.length = take_number(entry, 8);
  piece.first_record = take_number(entry, 8);
  piece.record_count = static_cast<std::uint32_t>(take_number(entry, 4));
  const std::uint64_t kind = take_number(entry, 4);
  if (kind > static_cast<std::uint64_t>(PieceKind::kUnclosedQuote)) return std::nullopt;
  piece.kind = static_cast<PieceKind>(kind);
  return piece;
}

}  // namespace

std::string encode_state(const PayloadState& state) {
  std::string bytes(kMagic);
  append_number(bytes, state.sealed ? 1 : 0, 8);
  append_number(bytes, state.offset, 8);
  append_number(bytes, state.piece_count, 8);
  append_number(bytes, state.record_count, 8);
  bytes += text(state.index_digest);
  append_number(bytes, state.splitter_state.size(), 8);
  bytes += state.splitter_state;
  bytes += text(digest_of(bytes));
  return bytes;
}

std::optional<PayloadState> decode_state(std::string_view bytes) {
  if (bytes.size() < kHeadBytes + kDigestBytes) return std::nullopt;
  const std::string_view digest = bytes.substr(bytes.size() - kDigestBytes);
  bytes.remove_suffix(kDigestBytes);
  if (digest != text(digest_of(bytes)) || !bytes.starts_with(kMagic)) return std::nullopt;

  bytes.remove_prefix(kMagic.size());
  PayloadState state;
  state.sealed = take_number(bytes, 8) != 0;
  state.offset = take_number(bytes, 8);
  state.piece_count = take_number(bytes, 8);
  state.record_count = take_number(bytes, 8);
  bytes.copy(state.index_digest.data(), kDigestBytes);
  bytes.remove_prefix(kDigestBytes);
  const std::uint64_t length = take_number(bytes, 8);
  if (bytes.size() != length) return std::nullopt;
  state.splitter_state = bytes;
  return state;
}

void append_entry(const Piece& piece, std::string& entries, PayloadState& state) {
  std::string entry;
  append_number(entry, piece.offset, 8);
  append_number(entry, piece.length, 8);
  append_number(entry, piece.first_record, 8);
  append_number(entry, piece.record_count, 4);
  append_number(entry, static_cast<std::uint64_t>(piece.kind), 4);
  state.index_digest = grown(state.index_digest, entry);
  state.piece_count += 1;
  state.record_count += piece.record_count;
  entries += entry;
}

std::optional<std::vector<Piece>> decode_index(std::string_view entries,
                                               const PayloadState& state) {
  if (entries.size() != state.piece_count * kIndexEntryBytes) return std::nullopt;
  std::vector<Piece> pieces;
  pieces.reserve(state.piece_count);
  PayloadDigest digest{};
  for (; !entries.empty(); entries.remove_prefix(kIndexEntryBytes)) {
    const std::string_view entry = entries.substr(0, kIndexEntryBytes);
    digest = grown(digest, entry);
    const auto piece = decode_entry(entry);
    if (!piece) return std::nullopt;
    pieces.push_back(*piece);
  }
  if (digest != state.index_digest) return std::nullopt;
  return pieces;
}

}  // namespace tallyman
