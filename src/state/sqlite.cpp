#include "state/sqlite.h"

#include <cerrno>
#include <fcntl.h>

#include <fmt/format.h>
#include <sqlite3.h>

#include "pep381d/base/descriptor.h"
#include "pep381d/base/outcome.h"
#include "pep381d/state/damage.h"

namespace pep381d::sqlite {

namespace {

const char* remedy(int result) {
    switch (result & 0xff) {
        case SQLITE_FULL:
            return "free some space there";
        case SQLITE_BUSY:
            return "another program writes to it; stop that first";
        case SQLITE_CANTOPEN:
            return "it and its directory must be there, and the mirror's user may write to them";
        case SQLITE_READONLY:
        case SQLITE_PERM:
            return "it must be writable for the mirror's user";
        case SQLITE_NOTADB:
            return "set state.file to another path, or run `pep381d adopt`: it begins a new one";
        case SQLITE_CORRUPT:
            return adopt_anew;
        default:
            return "see the disk's and the system's messages";
    }
}

bool no_room(int system_error) {
    return system_error == ENOSPC || system_error == EDQUOT;
}

// Where SQLite cannot make its log it tries to read one, and tells the error of that: that there is
// none. Of the log's index it tells no error of the system's.
bool no_room_for_log(const std::string& path) {
    for (const char* suffix : {"-wal", "-shm"}) {
        const Descriptor file(open((path + suffix).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
        if (!file && no_room(errno)) return true;
    }
    return false;
}

// `system_error`: errno of the call that failed. SQLite says FULL only for a write to a file that
// it has; one that cannot be made, or a quota, is another error.
[[noreturn]] void give_up(int result, int system_error, const std::string& what) {
    const int kind = result & 0xff;
    if (kind == SQLITE_FULL ||
        ((kind == SQLITE_IOERR || kind == SQLITE_CANTOPEN) && no_room(system_error)))
        throw DiskFull(fmt::format("{}; {}", what, remedy(SQLITE_FULL)));
    if (kind == SQLITE_CORRUPT || kind == SQLITE_NOTADB)
        throw StateDamaged(fmt::format("{}; {}", what, remedy(result)));
    throw Fatal(5, fmt::format("{}; {}", what, remedy(result)));
}

}  // namespace

Statement::Statement(Database& database, const char* sql) : database_(database) {
    check(sqlite3_prepare_v3(database_.handle(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement_,
                             nullptr));
}

Statement::Statement(Statement&& other) noexcept
    : database_(other.database_), statement_(other.statement_) {
    other.statement_ = nullptr;
}

Statement::~Statement() {
    sqlite3_finalize(statement_);
}

void Statement::check(int result) {
    if (result != SQLITE_OK) database_.fail(result);
}

void Statement::bind(int index, std::int64_t value) {
    check(sqlite3_bind_int64(statement_, index, value));
}

void Statement::bind(int index, std::string_view value) {
    // An empty view may have a null pointer, which SQLite would store as NULL.
    check(sqlite3_bind_text64(statement_, index, value.data() == nullptr ? "" : value.data(),
                              value.size(), SQLITE_STATIC, SQLITE_UTF8));
}

void Statement::bind(int index, Blob value) {
    check(sqlite3_bind_blob64(statement_, index, value.bytes.data(), value.bytes.size(),
                              SQLITE_STATIC));
}

void Statement::bind(int index, Null) {
    check(sqlite3_bind_null(statement_, index));
}

Statement::Rows::~Rows() {
    if (statement_ == nullptr) return;
    sqlite3_reset(statement_->statement_);
    sqlite3_clear_bindings(statement_->statement_);
}

bool Statement::Rows::next() {
    const int result = sqlite3_step(statement_->statement_);
    if (result == SQLITE_ROW) return true;
    if (result == SQLITE_DONE) return false;
    statement_->database_.fail(result);
}

bool Statement::Rows::null(int column) const {
    return sqlite3_column_type(statement_->statement_, column) == SQLITE_NULL;
}
bool Statement::Rows::is_blob(int column) const {
    return sqlite3_column_type(statement_->statement_, column) == SQLITE_BLOB;
}
bool Statement::Rows::is_integer(int column) const {
    return sqlite3_column_type(statement_->statement_, column) == SQLITE_INTEGER;
}
std::int64_t Statement::Rows::integer(int column) const {
    if (!is_integer(column)) damaged("it holds something else where a number belongs");
    return sqlite3_column_int64(statement_->statement_, column);
}
std::int64_t Statement::Rows::integer(int column, std::int64_t least, std::int64_t most) const {
    const std::int64_t value = integer(column);
    if (value < least || value > most) damaged(fmt::format("it holds the number {}", value));
    return value;
}
void Statement::Rows::damaged(const std::string& what) const {
    statement_->database_.damaged(what);
}

std::string_view Statement::Rows::view(int column) const {
    const void* bytes = sqlite3_column_blob(statement_->statement_, column);
    const auto size =
        static_cast<std::size_t>(sqlite3_column_bytes(statement_->statement_, column));
    return {static_cast<const char*>(bytes), bytes == nullptr ? 0 : size};
}

std::string Statement::Rows::text(int column) const {
    return std::string(view(column));
}

std::optional<std::string> Statement::Rows::optional_text(int column) const {
    if (null(column)) return std::nullopt;
    return text(column);
}

std::optional<std::int64_t> Statement::Rows::optional_integer(int column) const {
    if (null(column)) return std::nullopt;
    return integer(column);
}

Database::Database(const std::string& name, std::string path, Mode mode) : path_(std::move(path)) {
    // Nobody asks how much memory it has, and to count it takes a lock for each allocation.
    static const int uncounted = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    (void)uncounted;
    const int flags = mode == Mode::write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
                                          : SQLITE_OPEN_READONLY | SQLITE_OPEN_URI;
    // A state belongs to one thread at a time, so that SQLite need not lock for every column.
    const int result =
        sqlite3_open_v2(name.c_str(), &handle_, flags | SQLITE_OPEN_NOMUTEX, nullptr);
    if (result != SQLITE_OK) {
        // The destructor does not run for a constructor that throws.
        const std::string cause =
            handle_ != nullptr ? sqlite3_errmsg(handle_) : sqlite3_errstr(result);
        const int system_error = handle_ != nullptr ? sqlite3_system_errno(handle_) : 0;
        sqlite3_close(handle_);
        give_up(result, system_error, fmt::format("state {}: {}", path_, cause));
    }
    sqlite3_extended_result_codes(handle_, 1);
    sqlite3_busy_timeout(handle_, 10'000);
    // Whatever stands in the file is data of somebody who may wish us ill, or of a failing disk.
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
}

Database::~Database() {
    sqlite3_close(handle_);
}

void Database::execute(const char* sql) {
    const int result = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
    if (result != SQLITE_OK) fail(result);
}

std::int64_t Database::last_row() const {
    return sqlite3_last_insert_rowid(handle_);
}
bool Database::in_transaction() const {
    return sqlite3_get_autocommit(handle_) == 0;
}
std::int64_t Database::changes() const {
    return sqlite3_changes64(handle_);
}

void Database::fail(int result) const {
    const bool full = (result & 0xff) == SQLITE_CANTOPEN &&
                      sqlite3_db_readonly(handle_, "main") == 0 && no_room_for_log(path_);
    give_up(result, full ? ENOSPC : sqlite3_system_errno(handle_),
            fmt::format("state {}: {}", path_, sqlite3_errmsg(handle_)));
}

void Database::damaged(const std::string& what) const {
    throw StateDamaged(fmt::format("state {}: {}: it is damaged; {}", path_, what, adopt_anew));
}

Transaction::Transaction(Database& database)
    : database_(database), inner_(database.in_transaction()) {
    database_.execute(inner_ ? "SAVEPOINT inner_change" : "BEGIN IMMEDIATE");
}

Transaction::~Transaction() {
    if (!open_) return;
    const char* undo = inner_ ? "ROLLBACK TO inner_change; RELEASE inner_change" : "ROLLBACK";
    sqlite3_exec(database_.handle(), undo, nullptr, nullptr, nullptr);
}

void Transaction::commit() {
    database_.execute(inner_ ? "RELEASE inner_change" : "COMMIT");
    open_ = false;
}

}  // namespace pep381d::sqlite
