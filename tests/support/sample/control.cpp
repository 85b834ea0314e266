#include "support/sample/control.h"

#include <stdexcept>

#include "support/sample/text.h"

namespace sample {
namespace {

constexpr std::string_view prefix = "/+sample/";

std::string json_list(const std::vector<std::string>& items) {
    std::string text = "[";
    for (const auto& item : items) text += (text.size() > 1 ? "," : "") + json_quoted(item);
    return text + "]";
}

std::string event_json(const Event& event) {
    return "{\"serial\":" + std::to_string(event.serial) +
           ",\"project\":" + json_quoted(event.project) +
           ",\"touched\":" + json_list(event.touched) + "}";
}

std::string requests_json(const Requests& requests) {
    std::string counts;
    for (const auto& [key, count] : requests.counts)
        counts += (counts.empty() ? "" : ",") + json_quoted(key) + ":" + std::to_string(count);
    return "{\"total\":" + std::to_string(requests.total) +
           ",\"bytes\":" + std::to_string(requests.bytes) + ",\"counts\":{" + counts + "}}";
}

long long number(const Form& form, const char* key, const char* otherwise) {
    const auto text = field(form, key, otherwise);
    try {
        return std::stoll(text);
    } catch (const std::logic_error&) {
        throw std::invalid_argument(std::string{key} + " is no number: " + text);
    }
}

RawAnswer raw_of(const Form& form) {
    RawAnswer answer;
    answer.status = static_cast<int>(number(form, "status", "200"));
    answer.type = field(form, "type", "text/plain");
    answer.body = field(form, "body");
    const auto [first, last] = form.equal_range("header");
    for (auto at = first; at != last; ++at) {
        const auto colon = at->second.find(':');
        if (colon == std::string::npos)
            throw std::invalid_argument("header is not NAME: VALUE: " + at->second);
        answer.headers.emplace_back(trimmed(at->second.substr(0, colon)),
                                    trimmed(at->second.substr(colon + 1)));
    }
    return answer;
}

std::string done(SampleMaster& master, const std::string& call, const Form& form) {
    if (call == "event")
        return event_json(
            master.event({field(form, "action"), field(form, "project"), field(form, "version"),
                          field(form, "file"), field(form, "reason")}));
    if (call == "extra")
        return event_json(master.extra(field(form, "project"), field(form, "file_json")));
    if (call == "random") {
        const auto count = static_cast<int>(number(form, "count", "1"));
        const auto touched =
            master.random_events(count, static_cast<std::uint64_t>(number(form, "seed", "1")));
        return "{\"serial\":" + std::to_string(master.serial()) +
               ",\"projects\":" + json_list(touched) + "}";
    }
    if (call == "fault/clear") {
        master.clear_faults();
    } else if (call == "fault") {
        master.fault({field(form, "match"), field(form, "kind"), field(form, "value"),
                      static_cast<int>(number(form, "times", "1")), field(form, "retry_after")});
    } else if (call == "raw/clear") {
        master.clear_raw();
    } else if (call == "raw") {
        master.raw(field(form, "target"), raw_of(form));
    } else if (call == "key") {
        master.key(field(form, "action"));
    } else if (call == "requests/reset") {
        master.reset_requests();
    } else {
        throw std::invalid_argument("no such call: " + std::string{prefix} + call);
    }
    return "{}";
}

}  // namespace

bool is_control(const Request& request) {
    return request.path.starts_with(prefix);
}

Response control_answer(SampleMaster& master, const Request& request) {
    Response response;
    response.set("Content-Type", "application/json");
    try {
        const auto call = request.path.substr(prefix.size());
        if (call == "requests")
            response.set_body(requests_json(master.requests()) + "\n");
        else if (request.method != "POST")
            throw std::invalid_argument("POST it: " + request.path);
        else
            response.set_body(done(master, call, parse_form(request.body)) + "\n");
    } catch (const std::invalid_argument& error) {
        response.status = 400;
        response.set_body("{\"error\":" + json_quoted(error.what()) + "}\n");
    }
    return response;
}

}  // namespace sample
