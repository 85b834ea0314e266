#include "support/sample_master.h"

#include <algorithm>
#include <latch>

#include "support/sample/control.h"
#include "support/sample/events.h"
#include "support/sample/population.h"
#include "support/sample/site.h"
#include "support/sample/text.h"

namespace sample {

// The listeners are last: they end before what they use.
struct SampleMaster::Inside {
    Site site;
    std::latch ready{1};  // requests that come while all this is still being made wait for it
    Listener files;
    Listener pages;

    Inside(SampleMaster& self, const Options& options)
        : site{populated(options.projects, options.files, options.seed), options.era},
          files{options.files_address,
                [this](const Request& request) {
                    ready.wait();
                    return site.file_answer(request);
                }},
          pages{options.address, [this, &self](const Request& request) {
                    ready.wait();
                    return is_control(request) ? control_answer(self, request)
                                               : site.index_answer(request);
                }} {
        site.locked([this] { site.set_bases({pages.url(), files.url()}); });
    }

    template <class Work>
    auto locked(Work work) {
        return site.locked([this, &work] { return work(site.index()); });
    }
};

SampleMaster::SampleMaster(const Options& options)
    : inside_{std::make_unique<Inside>(*this, options)} {
    inside_->ready.count_down();
}
SampleMaster::~SampleMaster() = default;

std::string SampleMaster::url() const {
    return inside_->pages.url();
}
std::string SampleMaster::files_url() const {
    return inside_->files.url();
}

std::int64_t SampleMaster::serial() const {
    return inside_->locked([](const Index& index) { return index.serial(); });
}

std::vector<std::string> SampleMaster::projects() const {
    return inside_->locked([](const Index& index) {
        std::vector<std::string> names;
        for (const auto& entry : index.list(false, false)) names.push_back(entry.name);
        std::sort(names.begin(), names.end());
        return names;
    });
}

std::string SampleMaster::page(const std::string& project) const {
    return inside_->locked([&](const Index& index) {
        const Project* shown = index.shown(normalized(project), false);
        return shown == nullptr ? std::string{} : project_json(*shown, inside_->site.bases());
    });
}

std::string SampleMaster::file(const std::string& path) const {
    const auto blob = inside_->locked([&](const Index& index) { return index.blob(path); });
    return blob == nullptr ? std::string{} : blob->bytes();
}

Event SampleMaster::event(const EventRequest& request) {
    return inside_->locked([&](Index& index) { return apply(index, request); });
}

std::vector<std::string> SampleMaster::random_events(int count, std::uint64_t seed) {
    return inside_->locked([&](Index& index) { return apply_random(index, count, seed); });
}

Event SampleMaster::extra(const std::string& project, const std::string& file_json) {
    return inside_->locked([&](Index& index) {
        if (file_json.empty()) throw std::invalid_argument("file_json is empty");
        return add_extra(index, project, file_json);
    });
}

void SampleMaster::fault(const Fault& fault) {
    inside_->locked([&](Index&) { inside_->site.faults().add(fault); });
}

void SampleMaster::clear_faults() {
    inside_->locked([&](Index&) { inside_->site.faults().clear(); });
}

void SampleMaster::raw(const std::string& target, RawAnswer answer) {
    if (!target.starts_with('/')) throw std::invalid_argument("target is not a path: " + target);
    inside_->locked(
        [&](Index&) { inside_->site.raw()[percent_decoded(target)] = std::move(answer); });
}

void SampleMaster::clear_raw() {
    inside_->locked([&](Index&) { inside_->site.raw().clear(); });
}

void SampleMaster::key(const std::string& action) {
    inside_->locked([&](Index& index) {
        if (action == "end") {
            inside_->site.sign_no_more();
            return;
        }
        if (action != "rotate" && action != "change")
            throw std::invalid_argument("no action of a key: " + action);
        inside_->site.change_key();
        if (action == "change") return;
        // As PyPI's admin command wrote it, blank and all.
        index.set_now(index.now_us() + 1'000'000);
        index.record_row({"", "", index.now_us() / 1'000'000, "keyrotate ", index.serial() + 1});
    });
}

Requests SampleMaster::requests() const {
    return inside_->locked([&](Index&) { return inside_->site.requests(); });
}

void SampleMaster::reset_requests() {
    inside_->locked([&](Index&) { inside_->site.requests() = {}; });
}

}  // namespace sample
