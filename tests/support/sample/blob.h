// A file of the sample master: its bytes are made from a recipe whenever they are asked for, its
// digests once. Immutable and thread-safe; shared by all who name it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace sample {

struct Recipe {
    std::string display;  // the project's name as its owner writes it
    std::string version;
    std::string filename;         // its end says what is made: .whl, .tar.gz or .zip
    std::string requires_python;  // empty: none
    std::vector<std::string> requirements;
    std::int64_t time = 0;    // Unix seconds
    std::size_t padding = 0;  // bytes of noise, to give files their sizes
    std::uint64_t seed = 0;
};

struct Digests {
    std::string sha256;
    std::string md5;
    std::string path;             // /packages/<2>/<2>/<60>/<filename>, by BLAKE2b-256
    std::string metadata_sha256;  // empty: no companion
    std::int64_t size = 0;
};

class Blob {
  public:
    static std::shared_ptr<const Blob> made_from(Recipe recipe);
    // A file of which only the digests are known, to compare pages with.
    static std::shared_ptr<const Blob> known(std::string filename, Digests digests);

    const std::string& filename() const { return recipe_.filename; }
    std::int64_t time() const { return recipe_.time; }
    bool is_wheel() const { return filename().ends_with(".whl"); }
    const Digests& digests() const;
    std::string bytes() const;
    std::string metadata() const;  // METADATA of a wheel, PKG-INFO of an sdist

  private:
    Recipe recipe_;
    mutable std::once_flag hashed_;
    mutable Digests digests_;
};

}  // namespace sample
