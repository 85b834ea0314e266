"""How a mirror is kept: with pages of its own making, with its own signatures as well, or with the master's of both."""

from dataclasses import dataclass, replace
from typing import Dict, Tuple

from compare import Terms
from ground import Ground
from world import DAEMON, SampleMaster, finished

PROJECTS, FILES = 12, 40  # a pass over these takes less than a tenth of a second


def signing_key(ground: Ground, name: str) -> str:
    path = ground.directory / name
    if not path.exists():
        result = finished([str(DAEMON), "--config", "/dev/null", "--signing.key", str(path), "keygen"])
        assert result.status == 0, result.errors
    return str(path)


@dataclass(frozen=True)
class Manner:
    name: str
    terms: Terms = Terms()
    era: str = "warehouse"                                    # of the master
    formats: Tuple[str, ...] = ("html", "json", "html json")  # that go with it

    def keys(self, ground: Ground) -> Dict[str, str]:
        if self.terms.signed:
            return {"signing_key": signing_key(ground, "key")}
        return {"pages_mode": "copy"} if self.terms.copied else {}

    def master(self, seed: int) -> SampleMaster:
        return SampleMaster(PROJECTS, FILES, seed, era=self.era)

    def terms_with(self, formats: str) -> Terms:
        return replace(self.terms, html="html" in formats, json="json" in formats)

    @property
    def links_lead_elsewhere(self) -> bool:
        """To other hosts than the master's; a page that does is not copied."""
        return not self.terms.copied


PLAIN = Manner("its own pages")
SIGNED = Manner("its own pages, signed", Terms(signed=True), formats=("html", "html json"))
COPIED = Manner("the master's pages", Terms(copied=True), "pep381", ("html", "html json"))
MANNERS = (PLAIN, PLAIN, SIGNED, COPIED)
