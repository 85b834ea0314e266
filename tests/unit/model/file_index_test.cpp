#include "pep381d/model/file_index.h"

#include <string>

#include "support/catch.h"

using namespace pep381d;

TEST_CASE("files are found by name, in whatever order they are asked for") {
    std::vector<File> files;
    for (const char* name : {"a", "b", "c"}) files.push_back(File{.name = *FileName::parse(name)});
    struct Row {
        std::string asked;
        std::string found;
    };
    const auto row = GENERATE(values<Row>({
        {"abc", "012"},
        {"cba", "210"},
        {"acb", "021"},
        {"axbxc", "0-1-2"},
        {"xabc", "-012"},
        {"aabbcc", "001122"},
        {"cabcab", "201201"},
    }));
    INFO(row.asked);
    FileIndex index(files);
    std::string found;
    for (const char name : row.asked) {
        const auto place = index.find(std::string_view(&name, 1));
        found += place ? std::to_string(*place) : "-";
    }
    CHECK(found == row.found);
}

TEST_CASE("in no files none is found") {
    const std::vector<File> none;
    CHECK_FALSE(FileIndex(none).find("a"));
}
