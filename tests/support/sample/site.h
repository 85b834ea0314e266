// What the two listeners answer: the index's pages, its XML-RPC, and the files; with faults and
// fixed answers where they are set. Thread-safe: one lock over all that changes; the bytes of files
// are made outside of it.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "support/sample/faults.h"
#include "support/sample/http.h"
#include "support/sample/index.h"
#include "support/sample/render.h"
#include "support/sample_master.h"

namespace sample {

class Site {
  public:
    Site(Index index, Era era) : index_{std::move(index)}, era_{era} {}

    void set_bases(Bases bases) { bases_ = std::move(bases); }

    // The handlers of the two listeners; control calls are not among them.
    Response index_answer(const Request& request);
    Response file_answer(const Request& request);

    // Whatever reads or changes the state, under the lock.
    template <class Work>
    auto locked(Work work) const {
        const std::lock_guard guard{mutex_};
        return work();
    }
    Index& index() { return index_; }
    void change_key() { key_ = key_.value_or(0) + 1; }
    void sign_no_more() { key_.reset(); }
    const Bases& bases() const { return bases_; }
    Faults& faults() { return faults_; }
    std::map<std::string, RawAnswer>& raw() { return raw_; }
    Requests& requests() { return requests_; }

  private:
    Response with_faults(const Request& request, const std::function<Response(bool stale)>& good);
    std::optional<Response> raw_answer(const std::string& path) const;
    void count(const Request& request, const std::string& what, const Response& response);

    Response xmlrpc(const Request& request, bool stale) const;
    Response root_page(const Request& request, bool stale) const;
    Response project_page(const Request& request, const std::string& name, bool stale) const;
    Response provenance(const Request& request) const;
    Response page(const Request& request, bool stale) const;
    Response legacy_page(const Request& request, bool stale) const;
    Response legacy_signature(const Request& request, bool stale) const;
    Response legacy_file(const Request& request) const;
    Response last_modified() const;
    Response file(const Request& request) const;

    mutable std::mutex mutex_;
    Index index_;
    const Era era_;
    std::optional<std::size_t> key_{0};  // that pages are signed with; nothing: they are not
    Bases bases_;
    Faults faults_;
    std::map<std::string, RawAnswer> raw_;
    Requests requests_;
};

}  // namespace sample
