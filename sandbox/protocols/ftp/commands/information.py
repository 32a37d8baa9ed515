"""What the server is and can do: RFC 959 §4.1.3, RFC 2389, RFC 2640."""

from __future__ import annotations

from sandbox.protocols.ftp.listing import FACTS
from sandbox.protocols.ftp.state import ANY, Stateful, ok
from sandbox.protocols.lines.command import Reply, command

__all__ = ["FEATURES", "Information"]

FEATURES = ("EPRT", "EPSV", "MDTM", "MFMT", "MLST", "PASV", "REST STREAM", "SIZE", "TVFS", "UTF8", "PBSZ", "PROT")
"""What FEAT lists, beside AUTH and LANG."""


class Information(Stateful):
    """Help, features, options, language."""

    @command("SYST", states=ANY, rfc="959 §4.1.3")
    def system(self) -> Reply:
        """Say what kind of system this is, so that listings can be read."""
        return ok("215", "UNIX Type: L8")

    @command("HELP", states=ANY, args="[command]", rfc="959 §4.1.3")
    def help(self, name: str = "") -> Reply:
        """List the commands, or explain one."""
        if not name:
            words = list(self.commands)
            return ok("214", "These commands are known:",
                      *(" ".join(words[start:start + 8]) for start in range(0, len(words), 8)),
                      "HELP NAME explains one")
        row = self.commands.get(name.upper())
        return ok("214", f"{row.usage}: {row.help}") if row else ok("501", "HELP alone lists the commands")

    @command("NOOP", states=ANY, rfc="959 §4.1.3")
    def do_nothing(self) -> Reply:
        """Do nothing; show that the connection lives."""
        return ok("200", "Still here")

    @command("FEAT", states=ANY, rfc="2389 §3")
    def features(self) -> Reply:
        """List what this server can do beyond RFC 959."""
        shown = "".join(f"{name}{'*' if name in self.facts else ''};" for name in FACTS)
        lines = [f"MLST {shown}" if word == "MLST" else word for word in FEATURES]
        if self.service.upgrade and not self.conversation.secure:
            lines.append("AUTH TLS")
        return ok("211", "Features:", *lines, "LANG EN*", "End")

    @command("OPTS", states=ANY, args="command [options...]", rfc="2389 §4")
    def set_options(self, name: str, options: str = "") -> Reply:
        """Choose how another command behaves."""
        match name.upper():
            case "UTF8":  # never an RFC, but common before RFC 2640's "UTF-8 always" was
                return ok("200", "Names are always in UTF-8") if options.upper() in ("", "ON", "NLST") else ok(
                    "504", "Names are always in UTF-8")
            case "MLST":
                wanted = [word.casefold() for word in options.split(";")]
                self.facts = tuple(fact for fact in FACTS if fact.casefold() in wanted)
                return ok("200", "MLST OPTS " + "".join(f"{fact};" for fact in self.facts))
        return ok("501", "There are options for MLST and UTF8")

    @command("LANG", states=ANY, args="[tag]", rfc="2640 §4")
    def use_language(self, tag: str = "") -> Reply:
        """Choose the language of the replies."""
        return ok("200", "English it is") if tag.lower() in ("", "en") else ok("504", "The replies are in English")
