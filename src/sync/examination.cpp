#include "pep381d/sync/examination.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "pep381d/master/page_copy.h"
#include "pep381d/pages/project_page.h"
#include "pep381d/sync/page_links.h"
#include "pep381d/tree/layout.h"

namespace pep381d {

namespace {

// What a look and an opening count for, beside the bytes that are read.
constexpr std::size_t looking = 2 << 10;
constexpr std::size_t opening = 8 << 10;
// No page that we show is longer: what it is made of has less than 64 MiB.
constexpr std::size_t page_most = 256 << 20;
// A signature has 48 to 72 bytes.
constexpr std::size_t signature_most = 64 << 10;

// Where two texts part.
std::size_t parting(const std::string& a, const std::string& b) {
    const auto least = std::min(a.size(), b.size());
    return static_cast<std::size_t>(
        std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(least), b.begin()).first -
        a.begin());
}

}  // namespace

Outcome<std::string> read_whole(FileTree& tree, const std::string& path, std::size_t most) {
    auto file = tree.open(path);
    if (!file) return std::move(file).failure();
    std::string bytes;
    std::array<char, 64 * 1024> buffer;
    while (bytes.size() <= most) {
        const std::size_t wanted = std::min(buffer.size(), most + 1 - bytes.size());
        const auto got = tree.read(file.value(), buffer.data(), wanted);
        if (!got) return got.failure();
        bytes.append(buffer.data(), got.value());
        if (got.value() < wanted) break;
    }
    return bytes;
}

Examination::Examination(FileTree& tree, std::shared_ptr<const Subject> subject, Scope scope)
    : tree_(tree), subject_(std::move(subject)), scope_(std::move(scope)) {
    const ProjectName& name = subject_->name;
    if (scope_.pages)
        pages_ = {{layout::published(layout::page_html(name)), true, scope_.formats.html},
                  {layout::published(layout::page_v1_html(name)), true, scope_.formats.html},
                  {layout::published(layout::page_json(name)), false, scope_.formats.json}};
    // While its project waits, or other keys are being used, a page may have the signature of
    // another.
    if (const auto& keys = scope_.formats.keys;
        keys && scope_.pages && scope_.formats.settled && subject_->shown && !subject_->waiting)
        signatures_ = {{layout::published(layout::signature(name)), &keys->dsa},
                       {layout::published(layout::signature_ed25519(name)), &keys->ed25519}};
    if (const auto& copied = subject_->copied; copied && !copied->signature.empty() &&
                                               scope_.pages && subject_->shown &&
                                               !subject_->waiting)
        signatures_ = {{layout::published(layout::signature(name)), nullptr}};
    if (!scope_.only.empty()) {
        const auto is_other = [&](const auto& one) { return !scope_.only.contains(one.path); };
        std::erase_if(pages_, is_other);
        std::erase_if(signatures_, is_other);
    }
    if (!subject_->page) return;
    const std::vector<File>& files = subject_->page->files;
    for (std::size_t i = scope_.first_file; i < std::min(scope_.last_file, files.size()); ++i)
        for (const bool metadata : {false, true}) {
            const File& file = files[i];
            if (!(metadata ? file.metadata_held : file.held)) continue;
            const std::string path = layout::published(file.path);
            add_item({metadata ? layout::metadata(path) : path, expected_of(file, metadata), {}});
        }
}

void Examination::add_item(Item item) {
    const bool wanted = scope_.only.empty() || scope_.only.contains(item.path) ||
                        scope_.only.contains(item.linked_from);
    if (wanted) items_.push_back(std::move(item));
}

void Examination::add(Flaw flaw, const std::string& path, std::string cause) {
    findings_.push_back({flaw, path, std::move(cause), subject_->name});
}

void Examination::add(Flaw flaw, const Item& item, std::string cause) {
    if (item.linked_from.empty())
        add(flaw, item.path, std::move(cause));
    else
        add(Flaw::dead_link, item.linked_from, fmt::format("it links to {}: {}", item.path, cause));
}

std::size_t Examination::go_on(std::size_t most) {
    std::size_t done = 0;
    while (done < most && !ended()) {
        if (proof_) {
            const std::size_t read = proof_->go_on(most - done);
            bytes_ += static_cast<std::int64_t>(read);
            done += read;
            if (proof_->ended()) judge(items_[next_item_ - 1]);
        } else if (next_page_ < pages_.size()) {
            done += look_at(pages_[next_page_++]);
        } else if (next_signature_ < signatures_.size()) {
            done += look_at(signatures_[next_signature_++]);
        } else {
            done += begin(items_[next_item_++]);
        }
    }
    return done;
}

// Says what keeps it from being a file that everybody may read; true: it can be read here.
bool Examination::is_usable(const FileLook& look, const std::string& path,
                            const std::string& linked_from) {
    const Item item{path, {}, linked_from};
    if (look.kind != FileKind::file) {
        add(Flaw::wrong_kind, item,
            look.kind == FileKind::directory ? "a directory lies where a file belongs"
            : look.kind == FileKind::link    ? "a symbolic link lies where a file belongs"
                                             : "no regular file");
        return false;
    }
    constexpr unsigned readable = 0444;
    if ((look.mode & readable) != readable)
        add(Flaw::access, path,
            fmt::format("its mode is {:04o}: a web server may not be able to read it; chmod it",
                        look.mode));
    else if (look.owner != scope_.owner)
        add(Flaw::access, path,
            fmt::format("it belongs to user {}, and the mirror to user {}; chown it", look.owner,
                        scope_.owner));
    return true;
}

// The page as the state makes it, in its format.
const std::string& Examination::made(const Page& page) {
    static const std::string none;
    if (!subject_->page || !subject_->shown) return none;
    if (page.html) return html();
    if (json_.empty()) json_ = project_json(*subject_->page);
    return json_;
}

const std::string& Examination::html() {
    if (html_.empty()) html_ = project_html(*subject_->page);
    return html_;
}

// Of which more need not be read: it is another page then.
std::size_t Examination::longest(const Page& page) {
    if (subject_->waiting) return page_most;
    if (const auto& copied = subject_->copied; copied && page.html)
        return static_cast<std::size_t>(copied->size);
    return made(page).size();
}

std::size_t Examination::look_at(const Page& page) {
    const auto look = tree_.look(page.path);
    if (!look) {
        add(Flaw::unreadable, page.path, cause_of(look.failure()));
        return looking;
    }
    if (!look.value()) {
        if (subject_->shown && page.wanted && scope_.formats.settled)
            add(Flaw::missing, page.path, "the page is not there");
        return looking;
    }
    if (!page.wanted && scope_.formats.settled) return looking;  // the walk sees to it
    if (!is_usable(*look.value(), page.path, {})) return looking;
    // A hard link of the page that is right.
    if (page.html && right_html_ != 0 && right_html_ == look.value()->inode) return looking;
    const auto bytes = read_whole(tree_, page.path, longest(page));
    if (!bytes)
        add(Flaw::unreadable, page.path, cause_of(bytes.failure()));
    else if (!is_as_known(page, bytes.value()))
        look_at_other(page, bytes.value(), look.value()->size);
    else if (page.html)
        take_right_html(page, *look.value());
    return opening + (bytes ? bytes.value().size() : 0);
}

bool Examination::is_as_known(const Page& page, const std::string& bytes) {
    if (const auto& copied = subject_->copied; copied && page.html)
        return static_cast<std::int64_t>(bytes.size()) == copied->size &&
               sha256(bytes) == copied->sha256;
    const std::string& ours = made(page);
    return !ours.empty() && bytes == ours;
}

// Of the page as the state makes it: where another lies there, that is a fault of its own.
std::size_t Examination::look_at(const Signature& signature) {
    const auto look = tree_.look(signature.path);
    if (!look) {
        add(Flaw::unreadable, signature.path, cause_of(look.failure()));
        return looking;
    }
    if (!look.value()) {
        add(Flaw::missing, signature.path, "the page has no signature");
        return looking;
    }
    if (!is_usable(*look.value(), signature.path, {})) return looking;
    const auto bytes = read_whole(tree_, signature.path, signature_most);
    if (!bytes)
        add(Flaw::unreadable, signature.path, cause_of(bytes.failure()));
    else if (bytes.value().size() > signature_most)
        add(Flaw::wrong_bytes, signature.path,
            fmt::format("it has {} bytes, too many for a signature", look.value()->size));
    else if (signature.key == nullptr && bytes.value() != subject_->copied->signature)
        add(Flaw::wrong_bytes, signature.path, "it is not the signature that the master gave");
    else if (signature.key != nullptr && scope_.hash &&
             !signature.key->verifies(html(), bytes.value()))
        add(Flaw::wrong_bytes, signature.path,
            fmt::format("it is no {} signature of the page", name_of(signature.key->kind())));
    return opening;
}

// index.v1_html is a hard link of index.html, so that they can never differ.
void Examination::take_right_html(const Page& page, const FileLook& look) {
    const std::string html = layout::published(layout::page_html(subject_->name));
    if (page.path == html) {
        right_html_ = look.inode;
        return;
    }
    // While its project waits or all are made again, a kill may have come between the two.
    if (subject_->waiting || !scope_.formats.settled) return;
    const auto about = [&](const Finding& finding) { return finding.path == html; };
    if (std::any_of(findings_.begin(), findings_.end(), about)) return;
    const auto other = tree_.look(html);
    if (other && other.value() && other.value()->inode != look.inode)
        add(Flaw::wrong_kind, page.path, "it is no hard link of index.html");
}

// It is not what the state makes.
void Examination::look_at_other(const Page& page, const std::string& bytes, std::int64_t size) {
    if (!subject_->waiting) {
        if (!subject_->shown) return;  // the walk finds that nobody owns it
        add(Flaw::wrong_bytes, page.path, wrong_page(page, bytes, size));
        return;
    }
    if (bytes.size() > page_most) {
        add(Flaw::wrong_bytes, page.path,
            fmt::format("it has {} bytes, too many for a page", size));
        return;
    }
    if ((scope_.formats.copied || !scope_.formats.settled) && page.html) {
        add_links(page, bytes);
        return;
    }
    auto linked = page.html ? links_of_html(bytes) : links_of_json(bytes, subject_->name);
    if (!linked) {
        add(Flaw::wrong_bytes, page.path, linked.failure().what);
        return;
    }
    if (subject_->page && linked.value().serial < subject_->page->serial) {
        add(Flaw::wrong_bytes, page.path,
            fmt::format("its serial is {}, and that of the state {}", linked.value().serial.value,
                        subject_->page->serial.value));
        return;
    }
    for (const LinkedFile& link : linked.value().links)
        add_link({layout::published(link.path), link.expected, page.path});
}

// Once, where all formats link to the same bytes.
void Examination::add_link(Item item) {
    const auto& digest = item.expected.digest;
    if (linked_.emplace(item.path, digest ? digest->bytes : std::string()).second)
        add_item(std::move(item));
}

std::string Examination::wrong_page(const Page& page, const std::string& bytes, std::int64_t size) {
    if (const auto& copied = subject_->copied; copied && page.html) {
        std::string other = fmt::format(
            "it is not the page that the master sent: {} bytes instead of {}", size, copied->size);
        if (size != copied->size) return other;
        return fmt::format("{}, with the SHA-256 {} instead of {}", other, to_hex(sha256(bytes)),
                           to_hex(copied->sha256));
    }
    const std::string& ours = made(page);
    return fmt::format(
        "it is not the page that the state makes: {} bytes instead of {}, other from "
        "byte {} on",
        size, ours.size(), parting(bytes, ours));
}

// Of a page that may be the master's own.
void Examination::add_links(const Page& page, const std::string& bytes) {
    auto links = links_of_copy(bytes, subject_->name);
    if (!links) {
        add(Flaw::wrong_bytes, page.path, links.failure().what);
        return;
    }
    const auto link_to = [&](const std::string& path, Expected expected) {
        add_link({layout::published(path), expected, page.path});
    };
    for (const CopiedLink& link : links.value()) {
        link_to(link.path, {link.digest, std::nullopt, std::nullopt});
        if (!link.metadata) continue;
        std::optional<Digest> digest;
        if (!link.metadata_sha256.empty()) digest = {Algorithm::sha256, link.metadata_sha256};
        link_to(layout::metadata(link.path), {digest, std::nullopt, std::nullopt});
    }
}

std::size_t Examination::begin(const Item& item) {
    if (!scope_.hash || !item.expected.digest) {
        (void)is_right(tree_.look(item.path), item);
        return looking;
    }
    auto file = tree_.open(item.path);
    if (!file) {
        if (is_right(tree_.look(item.path), item))
            add(Flaw::unreadable, item, cause_of(file.failure()));
        return looking;
    }
    // By the open file: to find the way there twice costs more than to hash most files.
    const auto look = tree_.look(file.value());
    if (is_right(look, item))
        proof_.emplace(tree_, std::move(file).value(), look.value()->size, item.expected);
    return opening;
}

// Says what is wrong with it beside its bytes.
bool Examination::is_right(const Outcome<std::optional<FileLook>>& look, const Item& item) {
    if (!look) {
        add(Flaw::unreadable, item, cause_of(look.failure()));
        return false;
    }
    if (!look.value()) {
        add(Flaw::missing, item, "it is not there");
        return false;
    }
    if (!is_usable(*look.value(), item.path, item.linked_from)) return false;
    const auto size = look.value()->size;
    if (!item.expected.size || size == *item.expected.size) return true;
    add(Flaw::wrong_size, item, fmt::format("{} bytes instead of {}", size, *item.expected.size));
    return false;
}

void Examination::judge(const Item& item) {
    Proof proof = std::move(*proof_);
    proof_.reset();
    const Digest& wanted = *item.expected.digest;
    if (proof.failure()) {
        add(Flaw::unreadable, item, cause_of(*proof.failure()));
    } else if (const std::string found = proof.hasher().finish(); found != wanted.bytes) {
        add(Flaw::wrong_bytes, item,
            fmt::format("its {} is {} instead of {}", name_of(wanted.algorithm), to_hex(found),
                        to_hex(wanted.bytes)));
    }
}

}  // namespace pep381d
