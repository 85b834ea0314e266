#include "pep381d/app/mirror.h"

#include <algorithm>
#include <fcntl.h>
#include <filesystem>
#include <poll.h>
#include <utility>

#include <fmt/format.h>

#include "pep381d/app/progress.h"
#include "pep381d/app/systemd.h"
#include "pep381d/base/lock.h"
#include "pep381d/net/curl_transport.h"
#include "pep381d/sync/committer.h"
#include "pep381d/sync/knowledge.h"
#include "pep381d/tree/layout.h"
#include "pep381d/tree/staging.h"

namespace pep381d {

Policy policy_of(const Config& config, bool daemon) {
    Policy policy;
    policy.master = config.master_url;
    policy.master_shown = display_url(config.master_url);
    policy.contact = config.master_contact;
    policy.protocol = config.master_protocol;
    policy.filter = Filter(config.filter_projects, config.filter_block);
    policy.page = {config.files_enabled, config.files_core_metadata, config.deletes_keep};
    policy.html = config.pages_html;
    policy.json = config.pages_json;
    policy.copy = config.pages_copy;
    if (config.signing_keys) policy.signer = std::make_shared<Signer>(*config.signing_keys);
    policy.keep_deleted = config.deletes_keep;
    policy.max_deleted_fraction = config.deletes_max_fraction;
    // A single pass ends with nothing left over; a daemon lets readers of the old page finish.
    policy.grace = daemon ? config.deletes_grace : std::chrono::milliseconds(0);
    policy.root_interval = config.pages_root_interval;
    policy.poll_interval = config.master_poll_interval;
    policy.reconcile_interval = config.master_reconcile_interval;
    policy.patience = config.master_patience;
    policy.timeout = config.master_timeout;
    policy.master_requests = config.master_max_requests;
    policy.file_requests = config.files_max_requests;
    policy.file_rate = config.files_rate_limit;
    policy.alternates = config.files_alternates;
    return policy;
}

TransportOptions transport_options(const Config& config) {
    TransportOptions options;
    options.user_agent = user_agent(config.master_contact);
    options.ca_file = config.master_ca_file;
    options.proxy = config.master_proxy;
    options.timeout = config.master_timeout;
    options.file_rate = config.files_rate_limit;
    options.ip_version = config.master_ip_version == 4   ? IpVersion::v4
                         : config.master_ip_version == 6 ? IpVersion::v6
                                                         : IpVersion::any;
    return options;
}

// Of the tree's disk and the state's. Asked by the loop at every turn: two system calls a second.
class RoomWatch {
  public:
    RoomWatch(FileTree& tree, const Config& config, const Clock& clock)
        : tree_(tree),
          directory_(config.mirror_directory),
          state_directory_(std::filesystem::absolute(config.state_file).parent_path()),
          reserves_{config.mirror_min_free, config.mirror_min_free_inodes},
          clock_(clock) {}

    std::optional<std::string> shortage() {
        constexpr std::chrono::seconds often_enough{1};
        const Steady now = clock_.steady();
        if (!looked_ || now - *looked_ >= often_enough) {
            looked_ = now;
            const bool was_short = found_.has_value();
            found_ = in(directory_, tree_.room(), was_short);
            if (!found_) found_ = in(state_directory_, room_at(state_directory_), was_short);
        }
        return found_;
    }

  private:
    // What cannot be asked is not known to be full.
    std::optional<std::string> in(const std::string& where, const Outcome<Room>& room,
                                  bool was_short) const {
        const auto found =
            room ? pep381d::shortage(room.value(), reserves_, was_short) : std::nullopt;
        return found ? std::optional(fmt::format("{}: {}", where, *found)) : std::nullopt;
    }

    FileTree& tree_;
    const std::string directory_;
    const std::string state_directory_;
    const Reserves reserves_;
    const Clock& clock_;
    std::optional<Steady> looked_;
    std::optional<std::string> found_;
};

// Everything that lives as long as one configuration is in force.
struct Mirror::Session {
    Session(Mirror& mirror, const Config& config, bool daemon)
        : policy(policy_of(config, daemon)),
          transport(transport_options(config)),
          staging(mirror.tree_),
          committer(mirror.state_, mirror.tree_, policy, mirror.clock_, mirror.log_, daemon),
          progress(mirror.clock_, mirror.log_),
          room(mirror.tree_, config, mirror.clock_),
          engine(transport, staging, committer, policy, mirror.clock_, mirror.log_,
                 files_may_be_unknown(mirror.state_, mirror.tree_), hooks(mirror)) {}

    // The committer goes first: it still wakes the transport.
    ~Session() { committer.stop(); }

    Engine::Hooks hooks(Mirror& mirror) {
        return {mirror.signals_.descriptor(), [&mirror] { return mirror.signals_.command(); },
                [this](const Progress& now) {
                    systemd_alive();
                    progress.show(now);
                },
                [this] { return room.shortage(); }};
    }

    Policy policy;
    CurlTransport transport;
    Staging staging;
    Committer committer;
    ProgressLine progress;
    RoomWatch room;
    Engine engine;
};

Command wait_for_signal(Signals& signals, std::chrono::milliseconds most) {
    constexpr std::chrono::milliseconds sign_of_life{1000};
    Command command = Command::none;
    while (command == Command::none && most.count() > 0) {
        const auto slice = std::min(most, sign_of_life);
        pollfd about{signals.descriptor(), POLLIN, 0};
        if (::poll(&about, 1, static_cast<int>(slice.count())) > 0) command = signals.command();
        most -= slice;
        systemd_alive();
    }
    return command;
}

Mirror::Mirror(const Config& config, const Clock& clock, Log& log, Signals& signals)
    : clock_(clock),
      log_(log),
      signals_(signals),
      tree_(config.mirror_directory),
      state_(config.state_file, State::Access::write) {
    // Two mirrors with one state would each take the other's tree for its own.
    state_lock_ = Descriptor(::open(config.state_file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!lock(state_lock_))
        throw Fatal(
            5, fmt::format("state {}: another pep381d{} works with it; give each mirror its own",
                           config.state_file, lock_holder(state_lock_)));
}

void Mirror::check_tree(const Config& config) {
    if (const auto why = why_no_tree(state_, tree_))
        throw Fatal(5, fmt::format("{}/{}", config.mirror_directory, *why));
}

void Mirror::begin_anew_where_apart(const Config& config) {
    const auto why = why_apart(state_, shown_changes(tree_));
    if (!why) return;
    log_.warning(
        fmt::format("state_begins_anew cause=\"{}: {}; all pages are read again, and only files "
                    "that do not lie here are fetched\"",
                    config.mirror_directory, *why));
    State::Change change(state_);
    state_.begin_anew();
    change.commit();
}

PassResult Mirror::pass(const Config& config, const std::vector<std::string>& projects) {
    check_tree(config);
    begin_anew_where_apart(config);
    return read(config, projects);
}

PassResult Mirror::read(const Config& config, const std::vector<std::string>& projects) {
    Session session(*this, config, false);
    if (!projects.empty()) {
        std::vector<ProjectName> names;
        for (const std::string& project : projects) names.push_back(*ProjectName::parse(project));
        session.committer.restrict_to(names);
    }
    session.committer.start([&session] { session.transport.wake(); });
    PassResult result;
    result.poll = session.engine.pass(projects.empty());
    session.committer.stop();
    session.committer.check();
    result.not_at_master = session.committer.not_at_master();
    result.named = !projects.empty();
    for (const std::string& project : projects)
        if (const auto cause = state_.cause(*ProjectName::parse(project));
            cause && result.named_failure.empty())
            result.named_failure = *cause;
    result.stopped = session.engine.command() == Command::stop;
    if (!result.poll && !result.stopped && state_.pending() == 0)
        if (Done swept = session.staging.sweep(); !swept) give_up(swept.failure());
    return result;
}

RepairResult Mirror::repair(const Config& config, ScrubPolicy scrub) {
    // Also where a part of the tree is not there: this is what brings it back.
    begin_anew_where_apart(config);
    std::optional<PassResult> pass;
    if (!state_.number(Note::cursor) || state_.number(Note::older_tree)) pass = read(config, {});
    if (pass && pass->stopped) return {0, 0, true, std::nullopt};
    scrub.once = true;
    Session session(*this, config, false);
    session.committer.verify(std::move(scrub));
    session.committer.start([&session] { session.transport.wake(); });
    (void)session.engine.pass(false);
    session.committer.stop();
    session.committer.check();
    const Scrub::Counters& counters = *session.committer.scrub_counters();
    const bool stopped = session.engine.command() == Command::stop;
    if (!stopped && state_.pending() == 0)
        if (Done swept = session.staging.sweep(); !swept) throw Fatal(5, swept.failure().what);
    return {counters.found, counters.not_mended, stopped, std::move(pass)};
}

Command Mirror::run_session(const Config& config) {
    Session session(*this, config, true);
    try {
        ScrubPolicy scrub;
        scrub.interval = config.verify_interval;
        session.committer.verify(std::move(scrub));
        session.committer.sweep(config.master_sweep_interval);
        session.committer.start([&session] { session.transport.wake(); });
        systemd_ready();
        session.engine.run();
        session.committer.stop();
        session.committer.check();
    } catch (const DiskFull&) {
        // Who asks it to end is not kept waiting for room.
        const Command asked = session.engine.command();
        if (asked != Command::stop && asked != Command::reload) throw;
    }
    return session.engine.command();
}

// Where others can see it, if there is room for that.
void Mirror::note_full(const std::string& cause) {
    try {
        State::Change change(state_);
        state_.set(Note::shortage, cause);
        change.commit();
    } catch (const DiskFull&) {
        log_.debug("the state has no room for it either");
    }
}

// A session that met a full disk is given up whole: a next one begins with what is in the tree, in
// staging/ and in the state, as after a kill. Nothing has to be undone by halves.
Command Mirror::run(const Config& config) {
    constexpr std::chrono::milliseconds shortest{std::chrono::seconds(10)};
    constexpr std::chrono::milliseconds longest{std::chrono::minutes(1)};
    check_tree(config);
    begin_anew_where_apart(config);
    bool told = false;
    for (auto pause = shortest;; pause = std::min(2 * pause, longest)) {
        const Steady began = clock_.steady();
        try {
            return run_session(config);
        } catch (const DiskFull& full) {
            const bool anew = clock_.steady() - began > 10 * longest;
            if (anew) pause = shortest;
            if (anew || !std::exchange(told, true))
                log_.warning(
                    fmt::format("paused cause={}", pep381d::quoted(std::string(full.what()))));
            note_full(full.what());
        }
        const Command command = wait_for_signal(signals_, pause);
        if (command == Command::stop || command == Command::reload) return command;
    }
}

}  // namespace pep381d
