#include "pep381d/master/name_list.h"

#include "pep381d/master/xmlrpc.h"

#include "master/list_reader.h"

namespace pep381d {

namespace {

template <class Answer>
class XmlReader final : public NameList::Reader {
  public:
    template <class Callback>
    explicit XmlReader(Callback callback) : answer_(std::move(callback)) {}
    Done feed(std::string_view piece) override { return answer_.feed(piece); }
    Outcome<Serial> finish() override {
        if (Done done = answer_.finish(); !done) return std::move(done).failure();
        return Serial{};
    }

  private:
    Answer answer_;
};

std::unique_ptr<NameList::Reader> reader_for(ListForm form, const std::string& url,
                                             NameList::Entry entry) {
    switch (form) {
        case ListForm::serials:
            return std::make_unique<XmlReader<ListReader>>(std::move(entry));
        case ListForm::names:
            return std::make_unique<XmlReader<NamesReader>>(
                [entry = std::move(entry)](std::string_view name) { entry(name, Serial{}); });
        case ListForm::root_json:
            return root_json_reader(std::move(entry));
        case ListForm::root_html:
            break;
    }
    return root_html_reader(url, std::move(entry));
}

}  // namespace

NameList::NameList(ListForm form, const std::string& url, Entry entry)
    : reader_(reader_for(form, url, std::move(entry))) {}
NameList::~NameList() = default;
Done NameList::feed(std::string_view piece) {
    return reader_->feed(piece);
}
Outcome<Serial> NameList::finish() {
    return reader_->finish();
}

}  // namespace pep381d
