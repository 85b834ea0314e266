#include "pep381d/tree/proof.h"

#include "pep381d/tree/directory_tree.h"

#include "support/catch.h"
#include "support/temporary_directory.h"

using namespace pep381d;

namespace {

Expected expecting(const std::string& bytes) {
    return {Digest{Algorithm::sha256, sha256(bytes)}, static_cast<std::int64_t>(bytes.size()),
            std::nullopt};
}

}  // namespace

TEST_CASE("a file is hashed in slices no larger than asked for") {
    TemporaryDirectory directory;
    const std::string bytes(1'000'000, 'b');
    directory.write("file", bytes);
    DirectoryTree tree(directory.path().string());
    Proof proof(tree, "file", expecting(bytes));
    std::size_t slices = 0;
    for (; !proof.ended(); ++slices) CHECK(proof.go_on(300'000) <= 300'000);
    CHECK(slices == 4);
    CHECK(proof.size() == 1'000'000);
    CHECK(proof.may_go_on());
    CHECK(proof.whole());
}

TEST_CASE("only the right bytes in their full length are whole") {
    TemporaryDirectory directory;
    directory.write("file", "bytes");
    directory.write("other", "BYTES");
    directory.write("longer", "bytes and more");
    DirectoryTree tree(directory.path().string());
    CHECK(lies_whole(tree, "file", expecting("bytes")).value());
    for (const char* path : {"other", "longer"}) {
        CAPTURE(path);
        CHECK_FALSE(lies_whole(tree, path, expecting("bytes")).value());
    }
    CHECK_FALSE(lies_whole(tree, "file", expecting("bytes and more")).value());
    CHECK_FALSE(lies_whole(tree, "file", Expected{}).value());
    for (const char* path : {"none", "staging"}) {
        CAPTURE(path);
        CHECK_FALSE(lies_whole(tree, path, expecting("bytes")).ok());
    }
}

TEST_CASE("what is longer than expected is not read to its end, and is the beginning of nothing") {
    TemporaryDirectory directory;
    directory.write("file", std::string(1'000'000, 'b'));
    DirectoryTree tree(directory.path().string());
    Proof proof(tree, "file", expecting("bytes"));
    CHECK(proof.go_on(1'000'000) < 200'000);
    CHECK(proof.ended());
    CHECK_FALSE(proof.may_go_on());
    CHECK_FALSE(proof.whole());
}
