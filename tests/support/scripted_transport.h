// A network without sockets: answers by URL, given in the order in which they were asked for. What
// has no answer is 404.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pep381d/net/transport.h"

class ScriptedTransport final : public pep381d::Transport {
  public:
    struct Answer {
        std::string body;
        std::string type = "application/vnd.pypi.simple.v1+json";
        pep381d::Failure failure{pep381d::Fault::gone, ""};  // where `what` is not empty
        // After so many bytes of the whole the connection breaks, or nothing follows any more.
        std::size_t cut = std::string::npos;
        bool hangs = false;
        // It comes in so many pieces, each after so many turns of the loop.
        int drips = 0, drip_turns = 0;
        bool ranges = true;  // it knows ranges
        bool refuses_ranges = false;
        std::string etag = "\"etag\"";
        bool conditional = false;  // it knows If-None-Match, whatever not_modified says
    };
    // For POSTs the key is the method's name.
    std::map<std::string, Answer> answers;
    // Whoever sends an ETag is told that nothing has changed.
    bool not_modified = false;
    std::map<std::string, int> asked;
    std::map<std::string, std::vector<std::int64_t>> first_bytes;  // asked for
    std::function<void(const std::string& key)> before;            // each answer

    void fail(const std::string& key, pep381d::Fault fault, const std::string& what) {
        answers[key] = Answer{{}, {}, {fault, what}};
    }

    void start(pep381d::Request request, pep381d::Receiver receiver) override {
        running_.emplace_back(std::move(request), std::move(receiver));
    }
    void wait(std::chrono::milliseconds, int) override {
        for (std::size_t turn = running_.size(); turn > 0 && !running_.empty(); --turn) {
            auto [request, receiver] = std::move(running_.front());
            running_.pop_front();
            answer(request, receiver);
        }
        for (std::size_t turn = dripping_.size(); turn > 0 && !dripping_.empty(); --turn) {
            Dripping one = std::move(dripping_.front());
            dripping_.pop_front();
            drip(std::move(one));
        }
    }
    bool idle() const { return running_.empty(); }
    // Something has begun to come, and has not ended.
    bool under_way() const { return !hanging_.empty() || !dripping_.empty(); }
    void cancel_all() override {
        running_.clear();
        hanging_.clear();
        dripping_.clear();
    }
    void wake() override {}

  private:
    static std::string key_of(const pep381d::Request& request) {
        const auto name = request.post.find("<methodName>");
        if (name == std::string::npos) return request.url;
        return request.post.substr(name + 12, request.post.find("</methodName>") - name - 12);
    }
    void answer(const pep381d::Request& request, pep381d::Receiver& receiver) {
        const std::string key = key_of(request);
        ++asked[key];
        first_bytes[key].push_back(request.first_byte);
        if (before) before(key);
        const auto found = answers.find(key);
        if (found == answers.end()) {
            receiver.on_end(pep381d::Failure{pep381d::Fault::gone,
                                             "GET " + request.url + ": HTTP 404 Not Found"});
            return;
        }
        const Answer& answer = found->second;
        if (!answer.failure.what.empty()) {
            receiver.on_end(answer.failure);
            return;
        }
        const bool same = !request.etag.empty() &&
                          (not_modified || (answer.conditional && request.etag == answer.etag));
        const auto size = static_cast<std::int64_t>(answer.body.size());
        if (answer.refuses_ranges && request.first_byte > 0) {
            receiver.on_end(
                pep381d::Failure{pep381d::Fault::refused, "GET " + request.url + ": HTTP 403"});
            return;
        }
        const bool part = answer.ranges && request.first_byte > 0;
        if (part && request.first_byte >= size) {
            receiver.on_end(
                pep381d::Failure{pep381d::Fault::corrupt, "GET " + request.url + ": HTTP 416"});
            return;
        }
        const pep381d::Reply reply{
            same ? 304 : part ? 206 : 200, request.url, answer.type, answer.etag, {}, {}};
        const auto from = static_cast<std::size_t>(part ? request.first_byte : 0);
        const std::string_view sent = std::string_view(answer.body).substr(0, answer.cut);
        pep381d::Done done = receiver.on_head(reply);
        if (done && answer.drips > 0) {
            const auto piece = answer.body.size() / static_cast<std::size_t>(answer.drips);
            dripping_.push_back({std::move(receiver), reply, answer.body,
                                 std::max<std::size_t>(1, piece), answer.drip_turns, 0});
            return;
        }
        if (done && !same && sent.size() > from) done = receiver.on_body(sent.substr(from));
        if (!done)
            receiver.on_end(done.failure());
        else if (answer.hangs)
            hanging_.push_back(std::move(receiver));
        else if (answer.cut < answer.body.size())
            receiver.on_end(pep381d::Failure{pep381d::Fault::retry_later,
                                             "GET " + request.url + ": ended early"});
        else
            receiver.on_end(reply);
    }

    struct Dripping {
        pep381d::Receiver receiver;
        pep381d::Reply reply;
        std::string left;
        std::size_t piece;
        int pause, turns;
    };
    void drip(Dripping one) {
        if (++one.turns == one.pause) {
            one.turns = 0;
            const auto sent = one.receiver.on_body(one.left.substr(0, one.piece));
            one.left.erase(0, one.piece);
            if (!sent || one.left.empty()) {
                one.receiver.on_end(sent ? pep381d::Outcome<pep381d::Reply>(one.reply)
                                         : sent.failure());
                return;
            }
        }
        dripping_.push_back(std::move(one));
    }

    std::deque<std::pair<pep381d::Request, pep381d::Receiver>> running_;
    std::deque<Dripping> dripping_;
    std::vector<pep381d::Receiver> hanging_;
};
