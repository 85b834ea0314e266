#include "support/http_client.h"

#include <cctype>
#include <memory>

#include <curl/curl.h>

namespace sample {
namespace {

std::size_t take_body(char* bytes, std::size_t, std::size_t size, void* fetched) {
    static_cast<Fetched*>(fetched)->body.append(bytes, size);
    return size;
}

void take_headers(CURL* curl, Fetched& fetched) {
    curl_header* previous = nullptr;
    while ((previous = curl_easy_nextheader(curl, CURLH_HEADER, -1, previous)) != nullptr) {
        std::string name = previous->name;
        for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        fetched.headers[name] = previous->value;
    }
}

}  // namespace

Fetched fetch(const Fetch& what) {
    const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl{curl_easy_init(),
                                                                   &curl_easy_cleanup};
    curl_slist* list = nullptr;
    for (const auto& header : what.headers) list = curl_slist_append(list, header.c_str());
    const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers{list,
                                                                              &curl_slist_free_all};
    Fetched fetched;
    curl_easy_setopt(curl.get(), CURLOPT_URL, what.url.c_str());
    curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, list);
    curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl.get(), CURLOPT_PROXY, "");
    curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, what.timeout_ms);
    curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &fetched);
    if (what.head) curl_easy_setopt(curl.get(), CURLOPT_NOBODY, 1L);
    if (!what.post.empty()) {
        curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE, static_cast<long>(what.post.size()));
        curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, what.post.c_str());
    }
    const auto result = curl_easy_perform(curl.get());
    if (result != CURLE_OK) fetched.error = curl_easy_strerror(result);
    long status = 0;
    curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
    fetched.status = static_cast<int>(status);
    take_headers(curl.get(), fetched);
    return fetched;
}

}  // namespace sample
