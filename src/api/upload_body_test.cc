#include "api/upload_body.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tallyman {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

// gzip of "id\n1\n".
constexpr unsigned char kGzip[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02,
                                   0xff, 0xcb, 0x4c, 0xe1, 0x32, 0xe4, 0x02, 0x00, 0x0f,
                                   0xe9, 0x5b, 0xcd, 0x05, 0x00, 0x00, 0x00};

class StringBody final : public http::BodyStream {
 public:
  explicit StringBody(std::string text) : text_(std::move(text)) {}
  Result<std::size_t> read(std::span<char> into) override {
    const std::size_t length = text_.copy(into.data(), into.size(), at_);
    at_ += length;
    return length;
  }

 private:
  std::string text_;
  std::size_t at_ = 0;
};

http::Request request_with(std::string_view type, std::string body) {
  http::Request request;
  request.method = "POST";
  request.headers.add("Content-Type", type);
  request.content_length = body.size();
  request.body = std::make_unique<StringBody>(std::move(body));
  return request;
}

std::string read_all(const ByteSource& source) {
  std::string text;
  char buffer[7];
  while (true) {
    const auto length = source(buffer);
    EXPECT_TRUE(length.ok());
    if (!length.ok() || length.value() == 0) return text;
    text.append(buffer, length.value());
  }
}

std::string form(std::string_view part_headers, std::string_view content) {
  return "--b\r\nContent-Disposition: form-data; name=\"mode\"\r\n\r\natomic\r\n--b\r\n" +
         std::string(part_headers) + "\r\n\r\n" + std::string(content) + "\r\n--b--\r\n";
}

ServiceSettings at_most(std::uint64_t bytes) {
  ServiceSettings settings;
  settings.upload_bytes_max = bytes;
  return settings;
}

constexpr std::string_view kCsvPart =
    "Content-Disposition: form-data; name=\"file\"; filename=\"people.csv\"";

TEST(UploadBody, IsReadAsItIs) {
  auto request = request_with("text/csv; charset=UTF-8", "id\n1\n");
  const auto file = open_upload_file(request, at_most(100));
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(file.value().type, ContentType::kCsv);
  EXPECT_EQ(read_all(file.value().source), "id\n1\n");
}

TEST(UploadBody, HasItsEncodingTakenOff) {
  const std::string gzip(reinterpret_cast<const char*>(kGzip), sizeof kGzip);
  auto request = request_with("text/csv", gzip);
  request.headers.add("Content-Encoding", "gzip");
  const auto file = open_upload_file(request, at_most(100));
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(read_all(file.value().source), "id\n1\n");

  auto part = request_with("application/octet-stream", gzip);
  part.headers.add("Content-Encoding", "GZIP");
  const auto bytes = open_upload_bytes(part, at_most(100));
  ASSERT_TRUE(bytes.ok());
  EXPECT_TRUE(bytes.value().encoded);
  EXPECT_EQ(read_all(bytes.value().source), "id\n1\n");
}

TEST(UploadBody, RefusesTypesCharsetsAndEncodingsThatAreNotRead) {
  const auto refusal = [](std::string_view type, std::string_view encoding) {
    auto request = request_with(type, "x");
    if (!encoding.empty()) request.headers.add("Content-Encoding", encoding);
    const auto file = open_upload_file(request, at_most(100));
    EXPECT_FALSE(file.ok()) << type;
    if (file.ok()) return std::string();
    EXPECT_EQ(file.error().code, ErrorCode::kUnsupportedMedia);
    return file.error().message;
  };
  EXPECT_THAT(refusal("application/xml", ""), HasSubstr("text/csv"));
  EXPECT_THAT(refusal("", ""), HasSubstr("text/csv"));
  EXPECT_THAT(refusal("text/csv; charset=\"latin1\"", ""), HasSubstr("'latin1'"));
  EXPECT_THAT(refusal("text/csv", "br"), HasSubstr("send gzip"));
  EXPECT_THAT(refusal("text/csv", "gzip, gzip"), HasSubstr("send gzip"));
}

TEST(UploadBody, IsRefusedBeforeItIsReadWhereItSaysThatItIsTooLong) {
  auto fits = request_with("text/csv", std::string(100, 'x'));
  EXPECT_TRUE(open_upload_file(fits, at_most(100)).ok());
  auto above = request_with("text/csv", std::string(101, 'x'));
  const auto file = open_upload_file(above, at_most(100));
  ASSERT_FALSE(file.ok());
  EXPECT_EQ(file.error().code, ErrorCode::kTooLarge);
  EXPECT_THAT(file.error().message, HasSubstr("upload_bytes_max"));
}

TEST(UploadBody, IsTheFileOfAForm) {
  auto request =
      request_with("multipart/form-data; boundary=b", form(kCsvPart, "id\n1\n"));
  const auto file = open_upload_file(request, at_most(10'000));
  ASSERT_TRUE(file.ok()) << file.error().message;
  EXPECT_EQ(file.value().type, ContentType::kCsv);
  EXPECT_THAT(file.value().fields, ElementsAre(Pair("mode", "atomic")));
  EXPECT_EQ(read_all(file.value().source), "id\n1\n");
}

TEST(UploadBody, OfAFormGoesByThePartsTypeAndThenByTheFilesName) {
  const auto type_of = [](const std::string& name, const std::string& type) {
    const std::string headers =
        "Content-Disposition: form-data; name=\"file\"; filename=\"" + name + "\"" +
        (type.empty() ? "" : "\r\nContent-Type: " + type);
    auto request = request_with("multipart/form-data; boundary=b", form(headers, "x"));
    const auto file = open_upload_file(request, at_most(10'000));
    return file.ok() ? std::optional(file.value().type) : std::nullopt;
  };
  EXPECT_EQ(type_of("a.txt", "text/csv"), ContentType::kCsv);
  EXPECT_EQ(type_of("a.JSONL", ""), ContentType::kNdjson);
  EXPECT_EQ(type_of("a.json", "application/octet-stream"), ContentType::kJson);
  EXPECT_EQ(type_of("a.csv", "application/vnd.ms-excel"), ContentType::kCsv);
  EXPECT_EQ(type_of("a.csv", "application/pdf"), std::nullopt);
  EXPECT_EQ(type_of("a.txt", ""), std::nullopt);
}

TEST(UploadBody, OfAPartIsNoForm) {
  auto request = request_with("multipart/form-data; boundary=b", form(kCsvPart, "id\n"));
  EXPECT_EQ(open_upload_bytes(request, at_most(100)).error().code,
            ErrorCode::kUnsupportedMedia);
}

TEST(UploadBody, NeedsALengthOrChunks) {
  http::Request request;
  EXPECT_FALSE(has_body(request));
  request.headers.add("Transfer-Encoding", "chunked");
  EXPECT_TRUE(has_body(request));
  EXPECT_EQ(length_required().status, 411);
}

}  // namespace
}  // namespace tallyman
