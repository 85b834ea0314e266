#include "pep381d/app/mirror.h"

#include "pep381d/app/progress.h"
#include "pep381d/app/systemd.h"
#include "pep381d/net/curl_transport.h"
#include "pep381d/sync/committer.h"
#include "pep381d/tree/staging.h"

namespace pep381d {

Policy policy_of(const Config& config, bool daemon) {
    Policy policy;
    policy.master = config.master_url;
    policy.master_shown = display_url(config.master_url);
    policy.contact = config.master_contact;
    policy.filter = Filter(config.filter_projects, config.filter_block);
    policy.page = {config.files_enabled, config.files_core_metadata, config.deletes_keep};
    policy.html = config.pages_html;
    policy.json = config.pages_json;
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

namespace {

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

}  // namespace

// Everything that lives as long as one configuration is in force.
struct Mirror::Session {
    Session(Mirror& mirror, const Config& config, bool daemon)
        : policy(policy_of(config, daemon)),
          transport(transport_options(config)),
          staging(mirror.tree_),
          committer(mirror.state_, mirror.tree_, policy, mirror.clock_, mirror.log_, daemon),
          progress(mirror.clock_, mirror.log_),
          engine(transport, staging, committer, policy, mirror.clock_, mirror.log_,
                 mirror.state_.any_intended(), hooks(mirror)) {}

    // The committer goes first: it still wakes the transport.
    ~Session() { committer.stop(); }

    Engine::Hooks hooks(Mirror& mirror) {
        return {mirror.signals_.descriptor(), [&mirror] { return mirror.signals_.command(); },
                [this](const Progress& now) {
                    systemd_alive();
                    progress.show(now);
                }};
    }

    Policy policy;
    CurlTransport transport;
    Staging staging;
    Committer committer;
    ProgressLine progress;
    Engine engine;
};

Mirror::Mirror(const Config& config, const Clock& clock, Log& log, Signals& signals)
    : clock_(clock),
      log_(log),
      signals_(signals),
      tree_(config.mirror_directory),
      state_(config.state_file, State::Access::write) {}

PassResult Mirror::pass(const Config& config, const std::vector<std::string>& projects) {
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
        if (Done swept = session.staging.sweep(); !swept) throw Fatal(5, swept.failure().what);
    return result;
}

Command Mirror::run(const Config& config) {
    Session session(*this, config, true);
    session.committer.start([&session] { session.transport.wake(); });
    systemd_ready();
    const Command command = session.engine.run();
    session.committer.stop();
    session.committer.check();
    return command;
}

}  // namespace pep381d
