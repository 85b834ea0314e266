// A thin owner of SQLite connections and statements, for state/ alone. Every error is a Fatal(5)
// that names the file and says what to do.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

struct sqlite3;
struct sqlite3_stmt;

namespace pep381d::sqlite {

class Database;

struct Blob {
    std::string_view bytes;
};
struct Null {};
// For a column that holds one of several kinds of value.
using Cell = std::variant<Null, Blob, std::string_view, std::int64_t>;

// Bound values live at least until the rows are gone: they are not copied.
class Statement {
  public:
    Statement(Database& database, const char* sql);
    Statement(Statement&& other) noexcept;
    Statement& operator=(Statement&&) = delete;
    ~Statement();

    // The rows of one execution; resets the statement at its end.
    class Rows {
      public:
        explicit Rows(Statement& statement) : statement_(&statement) {}
        Rows(Rows&& other) noexcept : statement_(other.statement_) { other.statement_ = nullptr; }
        Rows& operator=(Rows&&) = delete;
        ~Rows();

        bool next();
        bool null(int column) const;
        bool is_blob(int column) const;
        bool is_integer(int column) const;
        // Anything but an integer, or one out of these bounds, is damage.
        std::int64_t integer(int column) const;
        std::int64_t integer(int column, std::int64_t least, std::int64_t most) const;
        std::string text(int column) const;       // also a blob's bytes; empty for NULL
        std::string_view view(int column) const;  // likewise; until the next row
        std::optional<std::string> optional_text(int column) const;
        std::optional<std::int64_t> optional_integer(int column) const;
        [[noreturn]] void damaged(const std::string& what) const;

      private:
        Statement* statement_;
    };

    template <class... Values>
    Rows rows(Values&&... values) {
        static_assert((!std::is_same_v<Values, std::string> && ...),
                      "a string that ends with this call would be read by next()");
        int index = 0;
        (bind(++index, values), ...);
        return Rows(*this);
    }
    // The parameter with this number, where there are too many for the calls above.
    template <class Value>
    void set(int index, const Value& value) {
        bind(index, value);
    }
    template <class... Values>
    void run(const Values&... values) {
        Rows all = rows(values...);
        while (all.next()) {
        }
    }

  private:
    void bind(int index, std::int64_t value);
    void bind(int index, int value) { bind(index, std::int64_t{value}); }
    void bind(int index, bool value) { bind(index, std::int64_t{value}); }
    void bind(int index, std::string_view value);
    void bind(int index, const std::string& value) { bind(index, std::string_view(value)); }
    void bind(int index, const char* value) { bind(index, std::string_view(value)); }
    void bind(int index, Blob value);
    void bind(int index, Null value);
    void bind(int index, const Cell& value) {
        std::visit([&](const auto& one) { bind(index, one); }, value);
    }
    template <class T>
    void bind(int index, const std::optional<T>& value) {
        if (value)
            bind(index, *value);
        else
            bind(index, Null{});
    }
    void check(int result);

    Database& database_;
    sqlite3_stmt* statement_ = nullptr;
};

class Database {
  public:
    enum class Mode { write, read };
    // `name`: a path, or a `file:` URI to read; `path`: what messages call it.
    Database(const std::string& name, std::string path, Mode mode);
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    void execute(const char* sql);
    Statement prepare(const char* sql) { return Statement(*this, sql); }
    std::int64_t last_row() const;
    std::int64_t changes() const;
    bool in_transaction() const;
    [[noreturn]] void fail(int result) const;
    // Throws StateDamaged: `what` is wrong with what it holds.
    [[noreturn]] void damaged(const std::string& what) const;
    sqlite3* handle() const { return handle_; }

  private:
    std::string path_;
    sqlite3* handle_ = nullptr;
};

// Rolled back unless committed. One inside another is undone by itself, and durable with the outer
// one.
class Transaction {
  public:
    explicit Transaction(Database& database);
    ~Transaction();
    void commit();

  private:
    Database& database_;
    bool inner_;
    bool open_ = true;
};

}  // namespace pep381d::sqlite
