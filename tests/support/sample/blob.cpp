#include "support/sample/blob.h"

#include <cstring>

#include "support/sample/archive.h"
#include "support/sample/digest.h"
#include "support/sample/random.h"
#include "support/sample/text.h"

namespace sample {
namespace {

constexpr auto backend = R"(
import os
import zipfile


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    name = STEM + "-py3-none-any.whl"
    info = STEM + ".dist-info/"
    paths = [MODULE + "/" + path for path in sorted(os.listdir(MODULE))]
    with zipfile.ZipFile(os.path.join(wheel_directory, name), "w") as wheel:
        for path in paths:
            wheel.write(path, path)
        wheel.write("PKG-INFO", info + "METADATA")
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\nGenerator: sample\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        paths += [info + "METADATA", info + "WHEEL", info + "RECORD"]
        wheel.writestr(info + "RECORD", "".join(path + ",,\n" for path in paths))
    return name


def build_sdist(sdist_directory, config_settings=None):
    raise NotImplementedError("this is a sample")
)";

std::string noise(std::size_t size, std::uint64_t seed) {
    Random random{seed};
    std::string bytes(size, '\0');
    for (std::size_t at = 0; at < size; at += 8) {
        const auto word = random.next();
        std::memcpy(bytes.data() + at, &word, std::min<std::size_t>(8, size - at));
    }
    return bytes;
}

std::vector<Member> module_of(const Recipe& recipe, const std::string& folder) {
    return {{folder + "__init__.py", "\"\"\"A sample of " + recipe.display +
                                         ".\"\"\"\n\n__version__ = \"" + recipe.version + "\"\n"},
            {folder + "noise.bin", noise(recipe.padding, recipe.seed)}};
}

std::string stem_of(const Recipe& recipe) {
    return underscored(recipe.display) + "-" + recipe.version;
}

// The WHEEL file names each tag of the file name's compressed set (PEP 425, PEP 427).
std::string wheel_text(const std::string& filename) {
    auto parts = split(filename.substr(0, filename.size() - std::strlen(".whl")), '-');
    const auto count = parts.size();
    const bool pure = parts[count - 1] == "any";
    auto text = std::string{"Wheel-Version: 1.0\nGenerator: sample\nRoot-Is-Purelib: "} +
                (pure ? "true" : "false") + "\n";
    for (const auto& python : split(parts[count - 3], '.'))
        for (const auto& platform : split(parts[count - 1], '.'))
            text += "Tag: " + python + "-" + parts[count - 2] + "-" + platform + "\n";
    return text;
}

std::string wheel(const Recipe& recipe, const std::string& metadata) {
    auto members = module_of(recipe, underscored(recipe.display) + "/");
    const auto info = stem_of(recipe) + ".dist-info/";
    members.push_back({info + "METADATA", metadata});
    members.push_back({info + "WHEEL", wheel_text(recipe.filename)});
    std::string record;
    for (const auto& member : members)
        record += member.name + ",sha256=" + base64url(sha256(member.bytes)) + "," +
                  std::to_string(member.bytes.size()) + "\n";
    members.push_back({info + "RECORD", record + info + "RECORD,,\n"});
    return zip(members);
}

std::string sdist(const Recipe& recipe, const std::string& metadata) {
    const bool zipped = recipe.filename.ends_with(".zip");
    const auto suffix = std::strlen(zipped ? ".zip" : ".tar.gz");
    const auto top = recipe.filename.substr(0, recipe.filename.size() - suffix) + "/";
    const auto module = underscored(recipe.display);
    auto members = module_of(recipe, top + module + "/");
    members.push_back({top + "PKG-INFO", metadata});
    members.push_back(
        {top + "pyproject.toml",
         "[build-system]\nrequires = []\nbuild-backend = \"backend\"\nbackend-path = [\".\"]\n"});
    members.push_back(
        {top + "backend.py",
         "\"\"\"Builds the wheel with nothing but the standard library (PEP 517).\"\"\"\n"
         "STEM = \"" +
             stem_of(recipe) + "\"\nMODULE = \"" + module + "\"\n" + backend});
    return zipped ? zip(members) : tar_gz(members, recipe.time);
}

}  // namespace

std::shared_ptr<const Blob> Blob::made_from(Recipe recipe) {
    auto blob = std::make_shared<Blob>();
    blob->recipe_ = std::move(recipe);
    return blob;
}

std::shared_ptr<const Blob> Blob::known(std::string filename, Digests digests) {
    auto blob = std::make_shared<Blob>();
    blob->recipe_.filename = std::move(filename);
    std::call_once(blob->hashed_, [&] { blob->digests_ = std::move(digests); });
    return blob;
}

const Digests& Blob::digests() const {
    std::call_once(hashed_, [this] {
        const auto content = bytes();
        const auto address = hex(blake2b_256(content));
        digests_.size = static_cast<std::int64_t>(content.size());
        digests_.sha256 = hex(sha256(content));
        digests_.md5 = md5_hex(content);
        digests_.path = "/packages/" + address.substr(0, 2) + "/" + address.substr(2, 2) + "/" +
                        address.substr(4) + "/" + filename();
        if (is_wheel()) digests_.metadata_sha256 = hex(sha256(metadata()));
    });
    return digests_;
}

std::string Blob::metadata() const {
    auto text = "Metadata-Version: 2.1\nName: " + recipe_.display +
                "\nVersion: " + recipe_.version + "\nSummary: A sample of " + recipe_.display +
                " \xe2\x80\x94 gr\xc3\xbc\xc3\x9f dich\n";
    if (!recipe_.requires_python.empty())
        text += "Requires-Python: " + recipe_.requires_python + "\n";
    for (const auto& requirement : recipe_.requirements)
        text += "Requires-Dist: " + requirement + "\n";
    return text + "\nMade by the sample master; of no use.\n";
}

std::string Blob::bytes() const {
    return is_wheel() ? wheel(recipe_, metadata()) : sdist(recipe_, metadata());
}

}  // namespace sample
