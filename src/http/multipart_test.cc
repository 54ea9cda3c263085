#include "http/multipart.h"

#include <gtest/gtest.h>

#include "http/bodies.h"

namespace tallyman::http {
namespace {

constexpr std::string_view kType = "multipart/form-data; boundary=XX";

using Fields = std::vector<std::pair<std::string, std::string>>;

struct Got {
  std::string bytes;
  std::string content_type;
  std::string file_name;
  Fields fields;
};

Result<Got> read_form(const std::string& body, std::size_t piece = std::string::npos,
                      std::size_t buffer_bytes = 4096, std::string_view type = kType,
                      MultipartLimits limits = {}) {
  TALLY_TRY_ASSIGN(const auto file,
                   MultipartFile::open(body_of(body, piece), type, limits));
  Got got{{}, file->content_type(), file->file_name(), file->fields()};
  std::vector<char> buffer(buffer_bytes);
  while (true) {
    TALLY_TRY_ASSIGN(const std::size_t count, file->read(buffer));
    if (count == 0) return got;
    got.bytes.append(buffer.data(), count);
  }
}

std::string with_line_feeds_only(std::string text) {
  std::erase(text, '\r');
  return text;
}

// What looks like a boundary and is none, and line ends of every kind.
const std::string kContent =
    "id,name\r\n1,a\n2,--XX\r\n--X\r\n--XXX\r\n--XX-\r\n\r\r\n-\r\n--\r\n";

std::string form(std::string_view content = kContent) {
  return "--XX\r\n"
         "Content-Disposition: form-data; name=\"on_duplicate\"\r\n\r\nfirst\r\n"
         "--XX  \r\n"
         "content-disposition: form-data; name=expect\r\nContent-Type: "
         "text/plain\r\n\r\n\r\n"
         "--XX\r\n"
         "Content-Disposition: form-data; name=\"file\"; filename=\"a \\\"b\\\".csv\"\r\n"
         "Content-Type: text/csv; charset=utf-8\r\n\r\n" +
         std::string(content) + "\r\n--XX--\r\n";
}

std::string error_of(const std::string& body) {
  const auto got = read_form(body);
  EXPECT_FALSE(got.ok());
  if (got.ok()) return {};
  EXPECT_EQ(got.error().code, ErrorCode::kUnreadable) << got.error().message;
  return got.error().message;
}

TEST(MultipartTest, GivesTheFileAndTheFieldsBeforeItForEveryCut) {
  const std::string body = "preamble\r\n" + form() + "epilogue";
  for (std::size_t piece = 1; piece <= body.size(); ++piece) {
    for (const std::size_t buffer : {1, 5, 4096}) {
      const auto got = read_form(body, piece, buffer);
      ASSERT_TRUE(got.ok()) << got.error().message << " at " << piece;
      EXPECT_EQ(got.value().bytes, kContent);
      EXPECT_EQ(got.value().content_type, "text/csv; charset=utf-8");
      EXPECT_EQ(got.value().file_name, "a \"b\".csv");
      EXPECT_EQ(got.value().fields, (Fields{{"on_duplicate", "first"}, {"expect", ""}}));
    }
  }
}

TEST(MultipartTest, AcceptsLinesThatEndWithLineFeedOnly) {
  const std::string body = with_line_feeds_only(form());
  for (std::size_t piece = 1; piece <= body.size(); ++piece) {
    const auto got = read_form(body, piece);
    ASSERT_TRUE(got.ok()) << got.error().message;
    EXPECT_EQ(got.value().bytes, with_line_feeds_only(kContent));
  }
  const std::string keeps =
      "--XX\nContent-Disposition: form-data; filename=a\n\nx\r\n--XX--";
  EXPECT_EQ(read_form(keeps).value().bytes, "x\r") << "the CR is the file's own there";
}

TEST(MultipartTest, RefusesABodyCutAnywhereBeforeItsClosingBoundary) {
  const std::string body = form();
  const std::size_t whole = body.size() - 2;
  for (std::size_t size = 0; size < whole; ++size) {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, body.size()}) {
      const auto got = read_form(body.substr(0, size), piece);
      ASSERT_FALSE(got.ok()) << size;
      EXPECT_EQ(got.error().code, ErrorCode::kUnreadable) << got.error().message;
    }
  }
  EXPECT_TRUE(read_form(body.substr(0, whole)).ok());
}

TEST(MultipartTest, ReadsAFileLongerThanItsBuffers) {
  std::string content;
  for (int i = 0; i < 100'000; ++i) content += "\r\n--X" + std::to_string(i);
  for (const std::size_t piece : {std::size_t{1000}, std::string::npos}) {
    const auto got = read_form(form(content), piece, 70'000);
    ASSERT_TRUE(got.ok());
    EXPECT_TRUE(got.value().bytes == content);
  }
}

TEST(MultipartTest, ReadsAnEmptyFile) {
  const std::string head = "--XX\r\nContent-Disposition: form-data; filename=a\r\n\r\n";
  EXPECT_EQ(read_form(head + "\r\n--XX--").value().bytes, "");
  EXPECT_EQ(read_form(head + "--XX--").value().bytes, "");
}

TEST(MultipartTest, ReadsAQuotedBoundary) {
  const std::string body =
      "--a b:c\r\nContent-Disposition: form-data; filename=a\r\n\r\nx\r\n--a b:c--";
  EXPECT_EQ(
      read_form(body, 1, 10, R"(Multipart/Form-Data; boundary="a b:c")").value().bytes,
      "x");
}

TEST(MultipartTest, TakesAPartWithATypeAsTheFile) {
  EXPECT_EQ(read_form("--XX\r\nContent-Disposition: form-data; name=d\r\nContent-Type: "
                      "application/json\r\n\r\n[]\r\n--XX--")
                .value()
                .bytes,
            "[]");
}

TEST(MultipartTest, RefusesOtherTypes) {
  for (const std::string_view type :
       {"text/csv", "multipart/form-data", "multipart/form-data; boundary=",
        "multipart/mixed; boundary=XX", "multipart/form-data; boundary=\"XX",
        "multipart/form-data; "
        "boundary="
        "12345678901234567890123456789012345678901234567890123456789012345678901"}) {
    const auto got = read_form(form(), 100, 100, type);
    ASSERT_FALSE(got.ok()) << type;
    EXPECT_EQ(got.error().code, ErrorCode::kUnsupportedMedia);
  }
}

TEST(MultipartTest, RefusesWhatFollowsTheFile) {
  const std::string open = form().substr(0, form().size() - 4);
  const std::string second =
      open +
      "\r\nContent-Disposition: form-data; name=\"more\"; filename=b\r\n\r\nx\r\n--XX--";
  EXPECT_NE(error_of(second).find("second file, in part \"more\""), std::string::npos);
  const std::string field =
      open + "\r\nContent-Disposition: form-data; name=\"mode\"\r\n\r\natomic\r\n--XX--";
  EXPECT_NE(error_of(field).find("\"mode\" comes after the file"), std::string::npos);
}

TEST(MultipartTest, RefusesWhatIsNotAForm) {
  for (const std::string_view body :
       {"", "id,name\r\n1,2\r\n", "--XX--\r\n", "--XX\r\n\r\nx\r\n--XX--",
        "--XX\r\nContent-Type: text/csv\r\n\r\nx\r\n--XX--",
        "--XX\r\nContent-Disposition: attachment; filename=a\r\n\r\nx\r\n--XX--",
        "--XX\r\nContent-Disposition: form-data; filename=\"a\r\n\r\nx\r\n--XX--",
        "--XX\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n--XX--",
        "--XX\r\nno colon\r\n\r\nx\r\n--XX--",
        "--XX\r\nContent-Disposition: form-data;\r\n filename=a\r\n\r\nx\r\n--XX--",
        "--XX\r\nContent-Disposition: form-data; "
        "filename=a\r\nContent-Transfer-Encoding: "
        "base64\r\n\r\nx\r\n--XX--"}) {
    EXPECT_FALSE(error_of(std::string(body)).empty()) << body;
  }
}

TEST(MultipartTest, BoundsFieldsAndHeaders) {
  const MultipartLimits limits{
      .part_header_bytes_max = 200, .field_bytes_max = 5, .fields_max = 2};
  const auto code = [&](const std::string& body) {
    const auto got = read_form(body, 64, 64, kType, limits);
    return got.ok() ? std::nullopt : std::optional(got.error().code);
  };
  EXPECT_EQ(code(form()), std::nullopt) << "five bytes and two fields are at the limit";
  std::string longer = form();
  longer.insert(longer.find("first"), 1, 's');
  EXPECT_EQ(code(longer), ErrorCode::kTooLarge);
  EXPECT_EQ(code("--XX\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n" + form()),
            ErrorCode::kTooLarge);
  std::string heads = form();
  heads.insert(heads.find("Content-Type"), "X: " + std::string(200, 'x') + "\r\n");
  EXPECT_EQ(code(heads), ErrorCode::kTooLarge);
}

}  // namespace
}  // namespace tallyman::http
