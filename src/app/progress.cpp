#include "pep381d/app/progress.h"

#include <cstdio>
#include <unistd.h>

#include <fmt/format.h>

#include "pep381d/base/units.h"

namespace pep381d {

namespace {

constexpr std::chrono::milliseconds terminal_pause{250};
constexpr std::chrono::seconds log_pause{10};

std::string display_time(double seconds) {
    const auto whole = static_cast<std::int64_t>(seconds);
    if (whole < 3600) return fmt::format("{}:{:02}", whole / 60, whole % 60);
    return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

}  // namespace

ProgressLine::ProgressLine(const Clock& clock, Log& log)
    : clock_(clock),
      log_(log),
      terminal_(isatty(STDERR_FILENO) == 1),
      began_(clock.steady()),
      shown_(began_) {}

ProgressLine::~ProgressLine() {
    erase();
}

// Not too often.
bool ProgressLine::rested() {
    const Steady now = clock_.steady();
    if (now - shown_ < (terminal_ ? std::chrono::duration_cast<Steady::duration>(terminal_pause)
                                  : Steady::duration(log_pause)))
        return false;
    shown_ = now;
    return true;
}

void ProgressLine::show(const Progress& progress) {
    if (!rested()) return;
    const bool news = progress.pages != last_.pages || progress.files != last_.files ||
                      progress.bytes != last_.bytes;
    last_ = progress;
    if (!news) return;
    print(progress, std::chrono::duration<double>(shown_ - began_).count());
}

void ProgressLine::show_verified(const Verified& verified) {
    if (!rested()) return;
    const double seconds = std::chrono::duration<double>(shown_ - began_).count();
    const auto rate = static_cast<std::int64_t>(static_cast<double>(verified.bytes) / seconds);
    if (!terminal_) {
        log_.info(fmt::format("progress projects={} of={} bytes={} rate={}/s", verified.projects,
                              verified.of, verified.bytes, rate));
        return;
    }
    std::fprintf(stderr, "\r\033[K%s",
                 fmt::format("verified {} of {} projects  {}  {}/s", verified.projects, verified.of,
                             display_size(verified.bytes), display_size(rate))
                     .c_str());
    std::fflush(stderr);
    on_screen_ = true;
}

void ProgressLine::print(const Progress& progress, double seconds) {
    const auto rate = static_cast<std::int64_t>(static_cast<double>(progress.bytes) / seconds);
    const double left = progress.pages == 0 ? 0
                                            : seconds / static_cast<double>(progress.pages) *
                                                  static_cast<double>(progress.pending);
    if (!terminal_) {
        log_.info(
            fmt::format("progress projects={} left={} files={} bytes={} rate={}/s time_left={}s",
                        progress.pages, progress.pending, progress.files, progress.bytes, rate,
                        static_cast<std::int64_t>(left)));
        return;
    }
    std::fprintf(stderr, "\r\033[K%s",
                 fmt::format("projects {} of {}  files {}  {}  {}/s  {} left", progress.pages,
                             progress.pages + progress.pending, progress.files,
                             display_size(progress.bytes), display_size(rate), display_time(left))
                     .c_str());
    std::fflush(stderr);
    on_screen_ = true;
}

void ProgressLine::erase() {
    if (on_screen_) std::fputs("\r\033[K", stderr);
    on_screen_ = false;
}

}  // namespace pep381d
