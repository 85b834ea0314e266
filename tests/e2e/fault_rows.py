"""The bad days: what a master can do wrong, one row of docs/faults.md each.

A row is brought about after a first pass, and after idna and urllib3 got a release each: `Scene.file` is a file of
idna's. What is left out of a row's options is as little waiting as possible, so that a row shows its first try.
"""

import copy
import json
import xmlrpc.client
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, List, Tuple

from tls_front import TlsFront
from world import Mirror, SampleMaster, refused_port

LIST = "method:list_packages_with_serial"
CHANGELOG = "method:changelog_since_serial"
LAST = "method:changelog_last_serial"
PAGE = "/simple/idna/"
RELEASE = "66.0"  # of both projects
EVERYTHING = "/"
HTML = "<!DOCTYPE html><html><body>We are down for maintenance.</body></html>"
LISTING = {"master.reconcile-interval": "1ms"}  # the pass reads the list too
RETRYING = {"master.patience": "10s"}


def pages_of(master: SampleMaster, *names: str) -> Dict[str, Dict[str, Any]]:
    return {name: master.page(name) for name in names}


@dataclass
class Scene:
    master: SampleMaster
    mirror: Mirror
    file: str                    # of idna's release: its path at the master
    serials: Dict[str, int]      # of both releases
    pages: Dict[str, Dict[str, Any]]  # of both projects, as they are when all is well

    def page(self) -> Dict[str, Any]:
        return copy.deepcopy(self.pages["idna"])

    def serve_page(self, page: Dict[str, Any]) -> None:
        self.master.fault(PAGE, "body", json.dumps(page), times=-1)

    def entry(self, page: Dict[str, Any]) -> Dict[str, Any]:
        return next(entry for entry in page["files"] if entry["url"].endswith(self.file))


Bring = Callable[[Scene], None]


@dataclass(frozen=True)
class Row:
    what: str
    bring: Bring
    settings: Dict[str, str] = field(default_factory=dict)
    everybody: bool = False  # it concerns more than one project
    removes: bool = False    # the master means it
    confirmed: bool = False  # by allow-deletions, before it is well
    projects: int = 12


def answer(value: Any) -> str:
    return xmlrpc.client.dumps((value,), methodresponse=True, allow_none=True)


def fault(code: int, text: str) -> str:
    return xmlrpc.client.dumps(xmlrpc.client.Fault(code, text), methodresponse=True)


def listed(scene: Scene) -> Dict[str, int]:
    with xmlrpc.client.ServerProxy(scene.master.url + "/pypi") as server:
        return dict(server.list_packages_with_serial())  # type: ignore[arg-type]


def faulty(match: str, kind: str, value: Any = None, **more: Any) -> Bring:
    """For ever, unless `times` says less. FILE stands for the file of the scene."""
    def bring(scene: Scene) -> None:
        exact = scene.file + "$" if match == "FILE" else match
        scene.master.fault(exact, kind, value, **{"times": -1, **more})
    return bring


def all_of(*parts: Bring) -> Bring:
    def bring(scene: Scene) -> None:
        for part in parts:
            part(scene)
    return bring


def broken_answers(match: str, what: str, everybody: bool = False) -> List[Row]:
    """What anything that is asked for can look like."""
    quick = {"master.timeout": "1s"}
    first = all_of() if everybody else others_first
    kinds: List[Tuple[str, Bring, Dict[str, str]]] = [
        ("500", faulty(match, "status", 500), {}),
        ("502", faulty(match, "status", 502), {}),
        ("503", faulty(match, "status", 503), {}),
        ("503, Retry-After 600", faulty(match, "status", 503, retry_after="600"), {}),
        ("429", all_of(first, faulty(match, "status", 429)), {}),
        ("429, Retry-After 600", all_of(first, faulty(match, "status", 429, retry_after="600")), {}),
        ("403", faulty(match, "status", 403), {}),
        ("404", faulty(match, "status", 404), {}),
        ("no answer", faulty(match, "hang"), quick if everybody else {}),
        ("the connection is reset", faulty(match, "reset"), {}),
        ("cut off in the middle", faulty(match, "cut"), {}),
        ("a byte now and then", faulty(match, "drip", 100), {"master.timeout": "4s"}),
        ("bytes without end", faulty(match, "endless"), {}),
        ("an empty body", faulty(match, "body", ""), {}),
        ("a page for people, with status 200", faulty(match, "body", HTML), {}),
        ("redirects in a circle", redirected(match), {}),
        ("redirected to another host", elsewhere(match), {}),
    ]
    return [Row(f"{what}: {kind}", bring, settings, everybody) for kind, bring, settings in kinds]


def others_first(scene: Scene) -> None:
    """A 429 stops whatever has not been asked by then of the same host; which that is would be chance."""
    scene.mirror.sync("urllib3")


def redirected(match: str) -> Bring:
    return lambda scene: faulty(match, "redirect", scene.file if match == "FILE" else match)(scene)


def elsewhere(match: str) -> Bring:
    """The right answer, under another name."""
    def bring(scene: Scene) -> None:
        base = scene.master.files_url if match == "FILE" else scene.master.url
        target = {"FILE": scene.file, EVERYTHING: "/pypi"}.get(match, match)
        faulty(match, "redirect", base.replace("127.0.0.1", "localhost") + target, times=1)(scene)
    return bring


def rows_added(*rows: Tuple[str, Any, str]) -> Bring:
    """The journal tells these of (name, version, action), too, and its times run backwards."""
    def bring(scene: Scene) -> None:
        names = [*rows, ("urllib3", RELEASE, "new release"), ("idna", RELEASE, "new release")]
        newest = scene.serials["idna"]
        told = [[name, version, 1700000000 - number, action, scene.serials.get(name, newest - 1)]
                for number, (name, version, action) in enumerate(names)]
        scene.master.fault(CHANGELOG, "body", answer(told), times=-1)
    return bring


def renamed(scene: Scene) -> None:
    scene.serials["certifi"] = scene.master.event("role", "certifi")["serial"]
    rows_added(("certifi", None, "rename from X"))(scene)


def gap(scene: Scene) -> None:
    """Rows that nobody is told."""
    scene.master.event("new-project", "a-gap")
    scene.master.event("remove-project", "a-gap")
    serial = scene.master.event("role", "idna")["serial"]
    told = [["urllib3", RELEASE, 1700000000, "new release", scene.serials["urllib3"]],
            ["idna", None, 1700000000, "add Owner someone", serial]]
    scene.master.fault(CHANGELOG, "body", answer(told), times=-1)


def changed_page(change: Callable[[Scene, Dict[str, Any]], None]) -> Bring:
    def bring(scene: Scene) -> None:
        page = scene.page()
        change(scene, page)
        scene.serve_page(page)
    return bring


def changed_entry(**changes: Any) -> Bring:
    """None takes the key away."""
    def change(scene: Scene, page: Dict[str, Any]) -> None:
        entry = scene.entry(page)
        for key, value in changes.items():
            entry.pop(key) if value is None else entry.update({key: value})
    return changed_page(change)


def fewer_files(scene: Scene, page: Dict[str, Any]) -> None:
    page["files"] = [entry for entry in page["files"] if entry["url"].endswith(scene.file)]


def half_a_list(scene: Scene) -> None:
    text = answer(listed(scene))
    scene.master.fault(LIST, "body", text[:len(text) // 2], times=-1)


def forgetful_list(scene: Scene) -> None:
    newest = sorted(listed(scene).items(), key=lambda entry: entry[1])[-3:]
    scene.master.fault(LIST, "body", answer(dict(newest)), times=-1)


def misspelt_list(scene: Scene) -> None:
    bad = ["../x", "", "a/b", "user:someone", "a b", "ünïcode", "a" * 300]
    scene.master.fault(LIST, "body", answer({**listed(scene), **{name: 2 for name in bad}}), times=-1)


def nobody(scene: Scene) -> None:
    holder, address = refused_port()
    holder.close()
    scene.mirror.settings["master.url"] = "http://" + address


def unknown_host(scene: Scene) -> None:
    scene.mirror.settings["master.url"] = "http://no-such-host.invalid"


def by_https(certificate: str, *, known: bool = True, redirect: bool = False) -> Bring:
    """The master is asked by https from now on; its certificate may be of an authority that we know."""
    def bring(scene: Scene) -> None:
        front = TlsFront(scene.master.url, certificate)
        if known:
            scene.mirror.settings["master.ca-file"] = front.authority
        if redirect:
            scene.master.fault(EVERYTHING, "redirect", scene.master.url + "/pypi", times=-1)
        scene.mirror.settings["master.url"] = front.url
    return bring


def remove_all(scene: Scene) -> None:
    for name in scene.master.names():
        if name not in ("idna", "urllib3"):
            scene.master.event("remove-project", name)


POLL = [
    *broken_answers(EVERYTHING, "everything", everybody=True),
    Row("nobody listens", nobody, everybody=True),
    Row("its name is not known", unknown_host, everybody=True),
    Row("https: the certificate has expired", by_https("expired"), everybody=True),
    Row("https: the certificate is another host's", by_https("elsewhere"), everybody=True),
    Row("https: the certificate is of an unknown authority", by_https("good", known=False), everybody=True),
    Row("https: redirected to http", by_https("good", redirect=True), everybody=True),
    Row("XML-RPC: limited, `Limit may reset in 600 seconds`", faulty(
        LAST, "body", fault(-32500, "HTTPTooManyRequests: The action could not be performed because there were too "
                            "many requests by the client. Limit may reset in 600 seconds."))),
    Row("XML-RPC: `ValueError`, the method was given up", faulty(
        LAST, "body", fault(-32500, "ValueError: changelog_last_serial is deprecated"))),
    Row("XML-RPC: `application error`", faulty(LAST, "body", fault(-32500, "application error"))),
    Row("XML-RPC: too many at a time (429 of the legacy PyPI)", faulty(
        LAST, "body", fault(429, "max concurrent requests exceeded"))),
    Row("serial: backwards, as after a restored backup", faulty(LAST, "body", answer(5))),
    Row("serial: none, the journal is empty", faulty(LAST, "body", answer(None))),
]

JOURNAL = [
    Row("journal: cut off in the middle", faulty(CHANGELOG, "cut")),
    Row("journal: a page for people", faulty(CHANGELOG, "body", HTML)),
    Row("journal: no rows, though its newest serial is higher", faulty(CHANGELOG, "body", answer([]))),
    Row("journal: rows that lag behind its newest serial", faulty(CHANGELOG, "stale")),
    Row("journal: times that run backwards", rows_added()),
    Row("journal: gaps in its serials", gap),
    Row("journal: an action that nobody knows", rows_added(("idna", None, "dance <wildly>"))),
    Row("journal: empty and illegal names", rows_added(*((name, None, "create")
                                                         for name in ("", "../x", "a/b", "-a", "\u202eabc")))),
    Row("journal: `user:x`", rows_added(("user:someone", None, "nuke user"))),
    Row("journal: `rename from X`, of a project that is there", renamed),
    Row("journal: one project in three spellings", rows_added(*((name, None, "add Owner someone")
                                                                for name in ("IDNA", "Idna", "iDNA")))),
    Row("list: cut off in the middle", faulty(LIST, "cut"), LISTING),
    Row("list: well-formed up to its middle, then nothing", half_a_list, LISTING),
    Row("list: empty", faulty(LIST, "body", answer({})), LISTING),
    Row("list: names without serials", faulty(LIST, "body", answer(["idna"])), LISTING),
    Row("list: forgets most projects", forgetful_list, LISTING),
    Row("list: older than the journal", faulty(LIST, "stale"), LISTING),
    Row("list: illegal names", misspelt_list, LISTING),
]

PAGES = [
    *broken_answers(PAGE, "page"),
    Row("page: 500 once", faulty(PAGE, "status", 500, times=1), RETRYING),
    Row("page: 500, and another's comes after three seconds", all_of(
        faulty("/simple/urllib3/", "delay", 3000), faulty(PAGE, "status", 500))),
    Row("page: 404 once", faulty(PAGE, "status", 404, times=1), RETRYING),
    Row("page: 410", faulty(PAGE, "status", 410)),
    Row("page: HTML in the place of JSON", lambda scene: scene.master.raw(PAGE, HTML.encode(), "text/html")),
    Row("page: another project's", lambda scene: scene.serve_page(scene.pages["urllib3"])),
    Row("page: older than the journal, once", faulty(PAGE, "stale", times=1), RETRYING),
    Row("page: older than the journal", faulty(PAGE, "stale")),
    Row("page: without files", changed_page(lambda _, page: page.update(files=[]))),
    Row("page: with fewer files", changed_page(fewer_files)),
    Row("page: redirected to `file:///`", faulty(PAGE, "redirect", "file:///etc/passwd")),
    Row("every page: 500", faulty("/simple/", "status", 500), everybody=True),
    Row("every page: 503, Retry-After 600", faulty("/simple/", "status", 503, retry_after="600"), everybody=True),
    Row("every page: 404", faulty("/simple/", "status", 404), everybody=True),
]

FILES = [
    *broken_answers("FILE", "file"),
    Row("file: 500 once", faulty("FILE", "status", 500, times=1), RETRYING),
    Row("file: other bytes of the same length", faulty("FILE", "wrong-bytes")),
    Row("file: redirected to `file:///`", faulty("FILE", "redirect", "file:///etc/passwd")),
    Row("entry of the page: a digest of something else", changed_entry(hashes={"sha256": "0" * 64})),
    Row("entry of the page: a size that is too small", changed_entry(size=3)),
    Row("entry of the page: a size that is too large", changed_entry(size=10 ** 9)),
    Row("entry of the page: no size", changed_entry(size=None)),
    Row("entry of the page: a name that leaves its directory", changed_entry(filename="../../idna.tar.gz")),
    Row("every file: 500", faulty("/packages/", "status", 500), everybody=True),
]

REMOVALS = [
    Row("a project is removed, while caches still have its page and its name", all_of(
        lambda scene: scene.master.event("remove-project", "certifi"), faulty("/simple/certifi/", "stale")),
        {**LISTING, "deletes.max-fraction": "0.5"}, removes=True),
    Row("all projects but two are removed at once", remove_all, removes=True, confirmed=True, projects=30),
]

TABLES = {"The poll": POLL, "The journal and the list": JOURNAL, "A page": PAGES, "A file": FILES, "Removals": REMOVALS}
