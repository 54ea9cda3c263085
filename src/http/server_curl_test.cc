// The server and a client that others wrote: libcurl, over plain HTTP and TLS.
#include <curl/curl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <unistd.h>
#include <cstdio>

#include <filesystem>

#include "http/test_server.h"

namespace tallyman::http {
namespace {

using testing::HasSubstr;

// A self-signed certificate and its key, made for one test.
class TestCertificate {
 public:
  TestCertificate() {
    folder_ =
        std::filesystem::temp_directory_path() /
        ("tallyman-tls-" + std::to_string(::getpid()) + "-" + std::to_string(++made_));
    std::filesystem::create_directory(folder_);
    EVP_PKEY* const key = EVP_EC_gen("P-256");
    X509* const certificate = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME* const name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("localhost"), -1,
                               -1, 0);
    X509_set_issuer_name(certificate, name);
    CHECK(X509_sign(certificate, key, EVP_sha256()) > 0);
    write(certificate_file(),
          [&](std::FILE* file) { PEM_write_X509(file, certificate); });
    write(key_file(), [&](std::FILE* file) {
      PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
    });
    X509_free(certificate);
    EVP_PKEY_free(key);
  }
  ~TestCertificate() { std::filesystem::remove_all(folder_); }

  std::string certificate_file() const { return folder_ / "certificate.pem"; }
  std::string key_file() const { return folder_ / "key.pem"; }
  TlsFiles files() const { return {certificate_file(), key_file()}; }

 private:
  template <class Write>
  static void write(const std::string& path, Write write_into) {
    std::FILE* const file = std::fopen(path.c_str(), "w");
    CHECK(file != nullptr);
    write_into(file);
    std::fclose(file);
  }

  static inline int made_ = 0;
  std::filesystem::path folder_;
};

std::size_t append(char* bytes, std::size_t size, std::size_t count, void* into) {
  static_cast<std::string*>(into)->append(bytes, size * count);
  return size * count;
}

struct Upload {
  std::string bytes;
  std::size_t given = 0;
};

std::size_t give(char* into, std::size_t size, std::size_t count, void* from) {
  auto& upload = *static_cast<Upload*>(from);
  const std::size_t part = std::min(size * count, upload.bytes.size() - upload.given);
  upload.bytes.copy(into, part, upload.given);
  upload.given += part;
  return part;
}

class Curl {
 public:
  explicit Curl(std::string base) : base_(std::move(base)), handle_(curl_easy_init()) {}
  ~Curl() { curl_easy_cleanup(handle_); }

  template <class Value>
  void set(CURLoption option, Value value) {
    CHECK(curl_easy_setopt(handle_, option, value) == CURLE_OK);
  }

  // Status 0 where curl gave up.
  Answer run(const std::string& path) {
    Answer answer;
    set(CURLOPT_URL, (base_ + path).c_str());
    set(CURLOPT_WRITEFUNCTION, &append);
    set(CURLOPT_WRITEDATA, &answer.body);
    set(CURLOPT_TIMEOUT, 20L);
    set(CURLOPT_SSL_VERIFYHOST, 0L);
    set(CURLOPT_SSL_VERIFYPEER, 0L);
    set(CURLOPT_NOSIGNAL, 1L);
    if (curl_easy_perform(handle_) != CURLE_OK) return answer;
    long status = 0;
    curl_easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &status);
    answer.status = static_cast<int>(status);
    return answer;
  }

  Answer upload(const std::string& path, std::string bytes, bool chunked) {
    Upload upload{std::move(bytes)};
    set(CURLOPT_UPLOAD, 1L);
    set(CURLOPT_READFUNCTION, &give);
    set(CURLOPT_READDATA, &upload);
    set(CURLOPT_INFILESIZE_LARGE,
        chunked ? curl_off_t{-1} : static_cast<curl_off_t>(upload.bytes.size()));
    return run(path);
  }

  long connections_made() {
    long count = 0;
    curl_easy_getinfo(handle_, CURLINFO_NUM_CONNECTS, &count);
    return count;
  }

 private:
  const std::string base_;
  CURL* const handle_;
};

class CurlTest : public testing::TestWithParam<bool> {
 protected:
  CurlTest() : server_(options()), curl_(url()) {}

  ServerOptions options() {
    ServerOptions made;
    if (GetParam()) made.tls = certificate_.files();
    return made;
  }
  std::string url() {
    return (GetParam() ? "https://127.0.0.1:" : "http://127.0.0.1:") +
           std::to_string(server_.port());
  }

  TestCertificate certificate_;
  TestServer server_;
  Curl curl_;
};

TEST_P(CurlTest, KeepsItsConnection) {
  EXPECT_EQ(curl_.run("/hello").body, R"({"hello":true})");
  EXPECT_EQ(curl_.connections_made(), 1);
  EXPECT_EQ(curl_.run("/stream?pieces=10&bytes=100000").body.size(), 1'000'000U);
  EXPECT_EQ(curl_.connections_made(), 0);
}

TEST_P(CurlTest, UploadsWithALengthAndInChunks) {
  std::string bytes;
  for (int i = 0; i < 500'000; ++i) bytes += std::to_string(i);
  for (const bool chunked : {false, true}) {
    const Answer answer = curl_.upload("/echo", bytes, chunked);
    EXPECT_EQ(answer.status, 200);
    EXPECT_TRUE(answer.body == bytes);
  }
}

TEST_P(CurlTest, TakesAnEarlyAnswerToALongUpload) {
  for (const bool chunked : {false, true}) {
    EXPECT_EQ(curl_.upload("/ignore", std::string(20 << 20, 'x'), chunked).status, 204);
  }
}

TEST_P(CurlTest, SeesABrokenAnswerAsBroken) {
  EXPECT_EQ(curl_.run("/throw-late").status, 0);
  EXPECT_EQ(curl_.run("/hello").status, 200);
}

TEST_P(CurlTest, AsksForHeadOnly) {
  curl_.set(CURLOPT_NOBODY, 1L);
  EXPECT_EQ(curl_.run("/stream?pieces=10&bytes=100000").status, 200);
}

INSTANTIATE_TEST_SUITE_P(PlainAndTls, CurlTest, testing::Bool(),
                         [](const auto& test) { return test.param ? "Tls" : "Plain"; });

TEST(TlsTest, RefusesOldVersions) {
  const TestCertificate certificate;
  ServerOptions options;
  options.tls = certificate.files();
  TestServer server(std::move(options));
  const std::string url = "https://127.0.0.1:" + std::to_string(server.port());
  Curl old(url);
  old.set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_0) |
                                  static_cast<long>(CURL_SSLVERSION_MAX_TLSv1_1));
  old.set(CURLOPT_SSL_CIPHER_LIST, "DEFAULT@SECLEVEL=0");
  EXPECT_EQ(old.run("/hello").status, 0);
  Curl oldest_allowed(url);
  oldest_allowed.set(CURLOPT_SSLVERSION,
                     static_cast<long>(CURL_SSLVERSION_TLSv1_2) |
                         static_cast<long>(CURL_SSLVERSION_MAX_TLSv1_2));
  EXPECT_EQ(oldest_allowed.run("/hello").status, 200);
}

TEST(TlsTest, EndsAHandshakeThatTakesTooLong) {
  const TestCertificate certificate;
  ServerOptions options;
  options.tls = certificate.files();
  options.limits.header_time = std::chrono::milliseconds(50);
  TestServer server(std::move(options));
  RawClient silent(server.port());
  EXPECT_TRUE(silent.ends());
  RawClient plain(server.port());
  plain.send(get("/hello"));
  EXPECT_TRUE(plain.read_answer().status == 0) << "plain HTTP to a TLS port";
}

TEST(TlsTest, NamesAFileItCannotUse) {
  const TestCertificate first;
  const TestCertificate second;
  const auto start = [](TlsFiles files) {
    ServerOptions options;
    options.tls = std::move(files);
    const auto server =
        Server::start(std::move(options), [](Request&) { return Response(); });
    EXPECT_FALSE(server.ok());
    return server.ok() ? "" : server.error().message;
  };
  EXPECT_THAT(start({"/no/certificate.pem", first.key_file()}),
              HasSubstr("/no/certificate.pem"));
  EXPECT_THAT(start({first.certificate_file(), "/no/key.pem"}), HasSubstr("/no/key.pem"));
  EXPECT_THAT(start({first.certificate_file(), second.key_file()}), HasSubstr("key.pem"))
      << "a key of another certificate";
}

}  // namespace
}  // namespace tallyman::http
