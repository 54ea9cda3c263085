#include "http/chunk_decoder.h"

#include <gtest/gtest.h>

#include <optional>

namespace tallyman::http {
namespace {

struct Decoded {
  std::string body;
  std::size_t consumed = 0;
  bool done = false;
  bool failed = false;
};

// Feeds `text` cut at `cut`, and each part in pieces of at most `piece` bytes.
Decoded decode(std::string_view text, std::size_t cut, std::size_t piece) {
  ChunkDecoder decoder;
  Decoded result;
  while (result.consumed < text.size() && !decoder.done()) {
    const std::size_t end = result.consumed < cut ? cut : text.size();
    const auto input =
        text.substr(result.consumed, std::min(piece, end - result.consumed));
    const auto step = decoder.next(input);
    if (!step.ok()) {
      EXPECT_EQ(step.error().code, ErrorCode::kUnreadable);
      result.failed = true;
      return result;
    }
    result.body += step.value().data;
    result.consumed += step.value().consumed;
  }
  result.done = decoder.done();
  return result;
}

TEST(ChunkDecoderTest, DecodesWhereverTheBytesAreCut) {
  const std::string text =
      "5\r\nhello\r\n00B;name=\"value\"\r\n, wide\r\nwor\r\n1;x\r\nl\r\n000\r\nTrailer: "
      "1\r\nX: "
      "y\r\n\r\nGET /";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, text.size()}) {
      const Decoded decoded = decode(text, cut, piece);
      ASSERT_FALSE(decoded.failed) << cut;
      EXPECT_TRUE(decoded.done);
      EXPECT_EQ(decoded.body, "hello, wide\r\nworl");
      EXPECT_EQ(text.substr(decoded.consumed), "GET /")
          << "the next request is not touched";
    }
  }
}

TEST(ChunkDecoderTest, IsNotDoneBeforeTheLastByte) {
  const std::string text = "2\r\nab\r\n0\r\nX: y\r\n\r\n";
  for (std::size_t size = 0; size < text.size(); ++size) {
    const Decoded decoded =
        decode(std::string_view(text).substr(0, size), 0, text.size());
    EXPECT_FALSE(decoded.done) << size;
    EXPECT_FALSE(decoded.failed) << size;
  }
}

TEST(ChunkDecoderTest, RefusesWhatOthersMightReadDifferently) {
  for (const std::string_view text : {"\r\n",
                                      "g\r\n",
                                      " 5\r\nhello\r\n",
                                      "5 \r\nhello\r\n",
                                      "+5\r\n",
                                      "-1\r\n",
                                      "0x5\r\n",
                                      "5\nhello\r\n",
                                      "5\rhello",
                                      "5\r\nhello\n",
                                      "5\r\nhelloX\r\n",
                                      "5\r\nhell\r\n0\r\n\r\n",
                                      "5\r\nhello\r\r\n",
                                      ";x\r\n",
                                      "5;x\n",
                                      "5;\x01\r\n",
                                      "1000000000000000\r\n",
                                      "ffffffffffffffff\r\n",
                                      "0\r\nX: y\n\r\n",
                                      "0\r\n\n",
                                      "0\r\n\rX",
                                      "0\n\r\n"}) {
    EXPECT_TRUE(decode(text, 0, text.size()).failed) << text;
  }
  EXPECT_TRUE(decode(std::string_view("0\r\nX: \0\r\n\r\n", 11), 0, 11).failed);
}

TEST(ChunkDecoderTest, BoundsExtensionsAndTrailers) {
  const std::string extension(kChunkExtensionBytesMax, 'x');
  EXPECT_TRUE(decode("0;" + extension + "\r\n\r\n", 0, 4096).done);
  EXPECT_TRUE(decode("0;" + extension + "x\r\n\r\n", 0, 4096).failed);
  const std::string trailers(kTrailerBytesMax, 'x');
  EXPECT_TRUE(decode("0\r\n" + trailers + "\r\n\r\n", 0, 8192).done);
  EXPECT_TRUE(decode("0\r\n" + trailers + "\r\nx\r\n\r\n", 0, 8192).failed);
}

TEST(ChunkDecoderTest, GoesOnAfterBytesReadPastIt) {
  ChunkDecoder decoder;
  ASSERT_TRUE(decoder.next("5\r\n").ok());
  EXPECT_EQ(decoder.data_left(), 5U);
  decoder.skip_data(5);
  EXPECT_EQ(decoder.data_left(), 0U);
  ASSERT_TRUE(decoder.next("\r\n0\r\n\r\n").ok());
  EXPECT_TRUE(decoder.done());
}

}  // namespace
}  // namespace tallyman::http
