#include <fmt/format.h>
#include <zlib.h>

#include <vector>

#include "client/buffered_source.h"

namespace tallyman::client {
namespace {

constexpr std::size_t kReadBytes = 64 << 10;

class GzipReader final : public ForwardReader {
 public:
  GzipReader(std::string path, std::unique_ptr<UploadSource> file)
      : path_(std::move(path)), file_(std::move(file)), compressed_(kReadBytes) {
    CHECK(inflateInit2(&stream_, 15 + 16) ==
          Z_OK);  // 15 bits of window, + 16: gzip only.
  }
  ~GzipReader() override { inflateEnd(&stream_); }
  GzipReader(const GzipReader&) = delete;
  GzipReader& operator=(const GzipReader&) = delete;

  Result<std::size_t> read(std::span<char> into) override {
    stream_.next_out = reinterpret_cast<Bytef*>(into.data());
    stream_.avail_out = static_cast<uInt>(into.size());
    while (stream_.avail_out == into.size()) {
      if (stream_.avail_in == 0) TALLY_TRY(refill());
      if (stream_.avail_in == 0) {
        if (between_members_) return 0;
        return Error{ErrorCode::kUnreadable,
                     path_ + " is cut off: its gzip stream has no end"};
      }
      TALLY_TRY(step());
    }
    return into.size() - stream_.avail_out;
  }

  Result<void> rewind() override {
    position_ = 0;
    stream_.avail_in = 0;
    between_members_ = false;
    CHECK(inflateReset(&stream_) == Z_OK);
    return {};
  }

  std::optional<double> fraction() const override { return file_->fraction(position_); }

 private:
  Result<void> refill() {
    TALLY_TRY_ASSIGN(const std::uint64_t length, file_->prepare(position_, kReadBytes));
    if (length == 0) return {};
    TALLY_TRY_ASSIGN(const std::size_t count, file_->read(position_, compressed_));
    position_ += count;
    stream_.next_in = reinterpret_cast<Bytef*>(compressed_.data());
    stream_.avail_in = static_cast<uInt>(count);
    return {};
  }

  // A gzip file may hold several streams, one after the other (RFC 1952, section 2.2).
  Result<void> step() {
    if (between_members_) CHECK(inflateReset(&stream_) == Z_OK);
    between_members_ = false;
    const int answer = inflate(&stream_, Z_NO_FLUSH);
    if (answer == Z_STREAM_END) between_members_ = true;
    if (answer == Z_OK || answer == Z_STREAM_END || answer == Z_BUF_ERROR) return {};
    return Error{ErrorCode::kUnreadable,
                 fmt::format("{} is not a good gzip file ({}, near byte {})", path_,
                             stream_.msg == nullptr ? "broken data" : stream_.msg,
                             position_ - stream_.avail_in)};
  }

  std::string path_;
  std::unique_ptr<UploadSource> file_;
  std::uint64_t position_ = 0;  // In the file: after what compressed_ holds.
  std::vector<char> compressed_;
  bool between_members_ = false;
  z_stream stream_ = {};
};

}  // namespace

Result<std::unique_ptr<UploadSource>> open_upload_gzip(const std::string& path) {
  TALLY_TRY_ASSIGN(auto file, open_upload_file(path));
  return std::unique_ptr<UploadSource>(std::make_unique<BufferedSource>(
      std::make_unique<GzipReader>(path, std::move(file))));
}

}  // namespace tallyman::client
