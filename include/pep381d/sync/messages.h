// What the loop and the committer tell one another. Values only; each is complete, so that neither
// has to ask back.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "pep381d/base/clock.h"
#include "pep381d/base/outcome.h"
#include "pep381d/base/signature.h"
#include "pep381d/master/name_list.h"
#include "pep381d/master/protocol.h"
#include "pep381d/model/copied_page.h"
#include "pep381d/model/event.h"
#include "pep381d/model/project_page.h"
#include "pep381d/plan/page_plan.h"
#include "pep381d/state/state.h"
#include "pep381d/sync/long_pages.h"
#include "pep381d/sync/page_files.h"

namespace pep381d {

// The master's key, by which copied pages are verified.
struct KeyKnown {
    std::shared_ptr<const PublicKey> key;  // null: it has none
    std::optional<Failure> unknown;        // why nobody knows
    int generation = 0;                    // counted up with each other key
};

// Committer to loop: look at this project.
struct WorkItem {
    Queued queued;
    std::string etag;                  // of the page that we show whole; else empty
    std::optional<ProjectPage> known;  // what we have of it
    bool shown = false;                // its page is published, whole or in part
    // The page that is shown may not be `known`: that has files which came before it, or a kill
    // came before another was recorded.
    bool ahead = false;
    // Paths at which other bytes lie than `known` says, and of files that a killed run has left.
    std::vector<std::string> in_doubt;
    bool older_tree = false;  // the state was lost: its files may lie here whole, and want no host
    std::vector<std::string> of_before;  // names of files on the page that lies here then
    Protocol protocol = Protocol::warehouse;
    bool numbered = true;  // the serials are the master's, and its pages have them
    Serial fresh;          // else: that of a page that has changed without an event
    // Where its page was stale before: when the newest list of names was asked for.
    Time list_asked{};
    // Where pages are copied:
    std::optional<CopiedPage> copied;  // the page that we show, where it is one
    KeyKnown key;
};

// Bytes that are whole and right: in staging/, or still to be written there; no path: they lie in
// their place already.
struct FileArrived {
    ProjectName project;
    std::string display;
    File file;
    bool metadata;  // these are the bytes of its .metadata
    std::string staged;
    std::optional<FileLook> found;  // it lies in its place already: as it was when it was hashed
    bool early;                     // worth a record of its own, before its page is recorded
    std::optional<std::string> unwritten{};  // the bytes that are still to be written there
    bool bound = false;  // to a copied page that comes with it: where that stays, it has no place
};

// The page may be published: each of its files has arrived before this message, or with it.
struct PageReady {
    ProjectPage
        page;  // where something is missing: without it, and with the serial that we had before
    std::string display;
    std::string etag;
    Serial handled;        // the queue's serial that this settles
    bool numbered = true;  // the work item's
    bool same = false;     // nothing to publish
    bool read = true;      // false: the master said that its page is what we have (304)
    // Paths of files that it should have, where a killed run may have left them: nobody has looked.
    std::vector<std::string> left{};
    bool at_once = false;             // what it no longer names is not kept for a while
    bool stale = false;               // it is older than the journal, and that is the failure
    std::optional<Failure> failure;   // the project stays queued because of this
    std::vector<Refused> refused;     // files of the master's page that cannot be mirrored
    std::vector<FileArrived> kept{};  // files that go to their places with it
    bool replaces = true;             // a page of it may be published
    // Of the page, where they are made already: its text, or that in staging/.
    std::optional<PageText> text;
    std::optional<StagedPage> staged;
    std::optional<CopiedPage> copy;             // its HTML is the master's own
    int key_generation = 0;                     // of the key that it was verified by
    std::shared_ptr<LongPages::Share> share{};  // where it is a long one
};

struct PageFailed {
    ProjectName project;
    Failure failure;
    bool doubts_key = false;  // the master's key may be another by now
    int key_generation = 0;   // of the key that it was to be verified by
};
struct PageGone {
    ProjectName project;
    std::string what;
};
// The page is older than the journal, and no newer than ours; or it is there, and the journal has
// removed it.
struct PageStale {
    ProjectName project;
    Serial shown;
};
// The page lost files, and no event explains it.
struct PageLoses {
    ProjectName project;
};

// What came where a master's last-modified belongs.
enum class Dated {
    not_asked,
    yes,
    no,       // there is none: 404
    unclear,  // something else, such as a page for people
};
// What a poll has learnt of the master beside its changes.
struct MasterSaid {
    Protocol protocol = Protocol::warehouse;
    std::optional<Time> last_modified;  // where it is dated
    Dated dated = Dated::not_asked;
    std::int64_t journal_since =
        0;  // where its journal is one by time: the poll asked from then on
};

struct PollDone {
    Time began;
    std::vector<Event> events;  // of a journal by time: those without a serial, known ones too
    Serial cursor;
    bool last = true;  // no further part of the same poll follows
    MasterSaid said{};
};
struct PollFailed {
    Failure failure;
};
// The name list lies whole in this file of staging/.
struct ListArrived {
    Time began;
    std::string staged;
    ListForm form = ListForm::serials;
    std::string url{};  // of the root index
    std::string etag{};
    bool full = false;  // all pages are to be looked at where it has no serials
    MasterSaid said{};
    std::optional<Serial> newest{};  // of the journal, before a first list was asked for
};
// What the master answers where its key belongs.
struct KeyArrived {
    std::optional<std::string> pem;
    std::optional<Failure> failure;  // else; gone: it has none
};
// Whatever waits after a failure is due now.
struct RetryAll {};
// So are these.
struct Retry {
    std::vector<ProjectName> projects;
};
// Of which room there is too little to fetch anything; empty: there is enough again.
struct RoomChanged {
    std::string shortage;
};
// Publish all that is left: root index, last-modified, status; then leave staging/ empty.
struct Finish {};

using Message =
    std::variant<FileArrived, PageReady, PageFailed, PageGone, PageStale, PageLoses, PollDone,
                 PollFailed, ListArrived, KeyArrived, RetryAll, Retry, RoomChanged, Finish>;

}  // namespace pep381d
