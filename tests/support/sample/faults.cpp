#include "support/sample/faults.h"

#include <stdexcept>

namespace sample {
namespace {

bool matches(const Fault& fault, const std::string& target, const std::string& method) {
    constexpr std::string_view by_method = "method:";
    const std::string_view match = fault.match;
    if (match.starts_with(by_method))
        return !method.empty() && match.substr(by_method.size()) == method;
    if (match.ends_with('$')) return target == match.substr(0, match.size() - 1);
    return target.starts_with(match);
}

int number(const Fault& fault, int otherwise) {
    if (fault.value.empty()) return otherwise;
    std::size_t used = 0;
    const int value = std::stoi(fault.value, &used);
    if (used != fault.value.size() || value < 0) throw std::invalid_argument(fault.value);
    return value;
}

Response short_answer(int status) {
    Response response;
    response.status = status;
    response.set("Content-Type", "text/plain; charset=utf-8");
    response.set_body(std::to_string(status) + "\n");
    return response;
}

}  // namespace

void Faults::add(Fault fault) {
    if (fault.kind == "status" || fault.kind == "delay" || fault.kind == "cut" ||
        fault.kind == "drip") {
        try {
            number(fault, 0);
        } catch (const std::logic_error&) {
            throw std::invalid_argument("fault " + fault.kind +
                                        ": value is no number: " + fault.value);
        }
    } else if (fault.kind != "hang" && fault.kind != "wrong-bytes" && fault.kind != "stale" &&
               fault.kind != "body" && fault.kind != "redirect" && fault.kind != "reset" &&
               fault.kind != "endless") {
        throw std::invalid_argument("no fault of the kind '" + fault.kind + "'");
    }
    rules_.push_back(std::move(fault));
}

std::optional<Fault> Faults::take(const std::string& target, const std::string& method) {
    for (auto& rule : rules_) {
        if (rule.times == 0 || !matches(rule, target, method)) continue;
        if (rule.times > 0) --rule.times;
        return rule;
    }
    return {};
}

Response spoiled(Response response, const Fault& fault) {
    if (fault.kind == "status") response = short_answer(number(fault, 503));
    if (fault.kind == "redirect") {
        response = short_answer(302);
        response.set("Location", fault.value);
    }
    if (fault.kind == "delay") response.delay_ms = number(fault, 1000);
    if (fault.kind == "drip") response.drip_ms = number(fault, 100);
    if (fault.kind == "hang") response.hang = true;
    if (fault.kind == "reset") response.reset = true;
    if (fault.kind == "endless") response.endless = true;
    if (fault.kind == "cut")
        response.cut_after =
            static_cast<std::uint64_t>(number(fault, static_cast<int>(response.body->size() / 2)));
    if (fault.kind == "body") {
        response.set_body(fault.value);
        // That is of the answer that it replaces.
        std::erase_if(response.headers,
                      [](const auto& header) { return header.first == "Content-Encoding"; });
    }
    if (fault.kind == "wrong-bytes") {
        auto bytes = *response.body;
        for (std::size_t at = bytes.size() / 2; at < bytes.size() && at < bytes.size() / 2 + 8;
             ++at)
            bytes[at] = static_cast<char>(bytes[at] ^ 1);
        response.set_body(std::move(bytes));
    }
    if (!fault.retry_after.empty()) response.set("Retry-After", fault.retry_after);
    return response;
}

}  // namespace sample
