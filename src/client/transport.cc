#include "client/transport.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <mutex>

namespace tallyman::client {
namespace {

// What one request needs while libcurl calls back.
struct Exchange {
  const Call& call;
  Reply& reply;
  CURL* handle;
  std::uint64_t sent = 0;
};

char lower(char byte) {
  return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte + 32) : byte;
}

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

std::size_t on_header(char* data, std::size_t, std::size_t size, void* context) {
  auto& exchange = *static_cast<Exchange*>(context);
  const std::string_view line(data, size);
  if (line.starts_with("HTTP/")) {
    exchange.reply.headers.clear();  // A "100 Continue" came before.
    return size;
  }
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return size;
  std::string name(line.substr(0, colon));
  std::transform(name.begin(), name.end(), name.begin(), lower);
  exchange.reply.headers.emplace_back(std::move(name), trimmed(line.substr(colon + 1)));
  return size;
}

std::size_t on_body(char* data, std::size_t, std::size_t size, void* context) {
  auto& exchange = *static_cast<Exchange*>(context);
  Reply& reply = exchange.reply;
  long status = 0;
  curl_easy_getinfo(exchange.handle, CURLINFO_RESPONSE_CODE, &status);
  if (exchange.call.sink != nullptr && status >= 200 && status < 300) {
    reply.sink_began = true;
    auto taken = (*exchange.call.sink)({data, size});
    if (taken.ok()) return size;
    reply.trouble = std::move(taken).error();
    return 0;
  }
  if (reply.body.size() + size > kAnswerBytesMax) {
    reply.trouble = Error{
        ErrorCode::kTooLarge,
        fmt::format("the server's answer is longer than {} bytes", kAnswerBytesMax)};
    return 0;
  }
  reply.body.append(data, size);
  return size;
}

std::size_t on_read(char* into, std::size_t, std::size_t size, void* context) {
  auto& exchange = *static_cast<Exchange*>(context);
  const Call& call = exchange.call;
  if (call.source == nullptr) {
    const std::size_t count = call.body.copy(into, size, exchange.sent);
    exchange.sent += count;
    return count;
  }
  const std::size_t want =
      std::min<std::uint64_t>(size, call.source_length - exchange.sent);
  if (want == 0) return 0;
  auto count = call.source->read(call.source_offset + exchange.sent, {into, want});
  if (!count.ok()) {
    exchange.reply.trouble = std::move(count).error();
    return CURL_READFUNC_ABORT;
  }
  exchange.sent += count.value();
  if (call.sent != nullptr) (*call.sent)(exchange.sent);
  return count.value();
}

// libcurl rewinds the body where a kept connection turns out to be closed.
int on_seek(void* context, curl_off_t offset, int origin) {
  if (origin != SEEK_SET) return CURL_SEEKFUNC_FAIL;
  static_cast<Exchange*>(context)->sent = static_cast<std::uint64_t>(offset);
  return CURL_SEEKFUNC_OK;
}

class CurlTransport final : public Transport {
 public:
  explicit CurlTransport(TransportOptions options) : options_(std::move(options)) {
    static std::once_flag once;
    std::call_once(once,
                   [] { CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK); });
    handle_ = curl_easy_init();
    CHECK(handle_ != nullptr);
  }
  ~CurlTransport() override { curl_easy_cleanup(handle_); }
  CurlTransport(const CurlTransport&) = delete;
  CurlTransport& operator=(const CurlTransport&) = delete;

  Reply send(const Call& call) override {
    Reply reply;
    Exchange exchange{call, reply, handle_};
    curl_easy_reset(handle_);
    const std::string url = options_.url + call.path;
    set_up(url);
    curl_slist* const headers = set_request(call);
    char detail[CURL_ERROR_SIZE] = "";
    curl_easy_setopt(handle_, CURLOPT_ERRORBUFFER, detail);
    curl_easy_setopt(handle_, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(handle_, CURLOPT_HEADERDATA, &exchange);
    curl_easy_setopt(handle_, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(handle_, CURLOPT_WRITEDATA, &exchange);
    curl_easy_setopt(handle_, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(handle_, CURLOPT_READDATA, &exchange);
    curl_easy_setopt(handle_, CURLOPT_SEEKFUNCTION, on_seek);
    curl_easy_setopt(handle_, CURLOPT_SEEKDATA, &exchange);

    const CURLcode code = curl_easy_perform(handle_);
    curl_slist_free_all(headers);
    long status = 0;
    curl_easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &status);
    finish(reply, code, static_cast<int>(status), detail);
    return reply;
  }

 private:
  void set_up(const std::string& url) {
    curl_easy_setopt(handle_, CURLOPT_URL, url.c_str());
    curl_easy_setopt(handle_, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(handle_, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(handle_, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle_, CURLOPT_USERAGENT, "tallyman");
    curl_easy_setopt(handle_, CURLOPT_UPLOAD_BUFFERSIZE, 512L << 10);
    curl_easy_setopt(handle_, CURLOPT_BUFFERSIZE, 256L << 10);
    curl_easy_setopt(handle_, CURLOPT_CONNECTTIMEOUT,
                     static_cast<long>(options_.connect_time_max.count()));
    curl_easy_setopt(handle_, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(handle_, CURLOPT_LOW_SPEED_TIME,
                     static_cast<long>(options_.silence_max.count()));
    if (!options_.ca_file.empty()) {
      curl_easy_setopt(handle_, CURLOPT_CAINFO, options_.ca_file.c_str());
    }
  }

  curl_slist* set_request(const Call& call) {
    const bool has_body = call.source != nullptr || !call.body.empty();
    if (has_body) {
      const std::uint64_t length =
          call.source == nullptr ? call.body.size() : call.source_length;
      curl_easy_setopt(handle_, CURLOPT_UPLOAD, 1L);
      curl_easy_setopt(handle_, CURLOPT_INFILESIZE_LARGE,
                       static_cast<curl_off_t>(length));
    } else if (call.method == "HEAD") {
      curl_easy_setopt(handle_, CURLOPT_NOBODY, 1L);
    }
    curl_easy_setopt(handle_, CURLOPT_CUSTOMREQUEST, call.method.c_str());

    curl_slist* headers = nullptr;
    const auto add = [&headers](const std::string& line) {
      headers = curl_slist_append(headers, line.c_str());
    };
    if (!options_.token.empty()) add("Authorization: Bearer " + options_.token);
    if (!has_body && (call.method == "POST" || call.method == "PUT"))
      add("Content-Length: 0");
    for (const std::string& line : call.headers) add(line);
    curl_easy_setopt(handle_, CURLOPT_HTTPHEADER, headers);
    return headers;
  }

  void finish(Reply& reply, CURLcode code, int status, const char* detail) const {
    if (code == CURLE_OK) {
      reply.status = status;
      return;
    }
    // An answer that came before the whole body was sent is an answer all the same.
    if (code == CURLE_SEND_ERROR && status >= 400) {
      reply.status = status;
      return;
    }
    reply.never_sent =
        code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST;
    if (!reply.trouble) reply.trouble = trouble(code, detail);
  }

  Error trouble(CURLcode code, const char* detail) const {
    const std::string why = *detail == 0 ? curl_easy_strerror(code) : detail;
    switch (code) {
      case CURLE_COULDNT_CONNECT:
      case CURLE_COULDNT_RESOLVE_HOST:
        return {ErrorCode::kUnavailable,
                fmt::format(
                    "no tallyman server answers at {} ({}); is it running, and is the "
                    "address right?",
                    options_.url, why)};
      case CURLE_PEER_FAILED_VERIFICATION:
      case CURLE_SSL_CACERT_BADFILE:
      case CURLE_SSL_CONNECT_ERROR:
        return {ErrorCode::kInvalidArgument,
                fmt::format(
                    "cannot speak TLS with {} ({}); name the file of the authority that "
                    "signed its certificate with --ca-file",
                    options_.url, why)};
      case CURLE_OPERATION_TIMEDOUT:
        return {ErrorCode::kUnavailable,
                fmt::format("{} did not answer in time ({})", options_.url, why)};
      case CURLE_URL_MALFORMAT:
        return {
            ErrorCode::kInvalidArgument,
            fmt::format("{} is not a URL that can be called ({})", options_.url, why)};
      default:
        return {ErrorCode::kUnavailable,
                fmt::format("the connection to {} was lost ({})", options_.url, why)};
    }
  }

  TransportOptions options_;
  CURL* handle_;
};

}  // namespace

std::optional<std::string_view> Reply::header(std::string_view lower_case_name) const {
  for (const auto& [name, value] : headers) {
    if (name == lower_case_name) return value;
  }
  return std::nullopt;
}

Result<std::unique_ptr<Transport>> Transport::make(TransportOptions options) {
  while (options.url.ends_with('/')) options.url.pop_back();
  if (!options.url.starts_with("http://") && !options.url.starts_with("https://")) {
    return Error{
        ErrorCode::kInvalidArgument,
        "the server's address '" + options.url +
            "' must begin with http:// or https://, as in http://127.0.0.1:8080"};
  }
  if (options.token.find_first_of("\r\n") != std::string::npos) {
    return Error{ErrorCode::kInvalidArgument, "the token has a line break in it"};
  }
  return std::unique_ptr<Transport>(std::make_unique<CurlTransport>(std::move(options)));
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char byte : text) {
    const bool plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                       (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' ||
                       byte == '_' || byte == '~';
    if (plain) {
      out += byte;
    } else {
      fmt::format_to(std::back_inserter(out), "%{:02X}",
                     static_cast<unsigned char>(byte));
    }
  }
  return out;
}

}  // namespace tallyman::client
