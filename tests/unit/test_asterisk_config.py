"""The configuration that ships: who can reach what, and that no password is in it."""

from __future__ import annotations

import os
import re
import stat
import subprocess
from pathlib import Path

import pytest
import yaml

from ari_app.watch.probes import CONTEXT

REPO = Path(__file__).parents[2]
PROVISION = REPO / "asterisk-docker" / "provision"
SHIPPED = sorted((*(REPO / "config" / "asterisk").glob("*.conf"), *(REPO / "dialplan").glob("*.conf")))

Sections = dict[str, list[tuple[str, str]]]


def read(path: Path) -> Sections:
    """Asterisk's configuration format, as far as we use it: the options of each section, in order."""
    sections: Sections = {}
    for line in path.read_text().splitlines():
        line = line.split(";")[0].strip()
        if header := re.match(r"\[([^]]+)\]", line):
            options = sections.setdefault(header[1], [])
        elif line and not line.startswith("#"):
            name, _, value = line.partition("=")
            options.append((name.strip(), value.removeprefix(">").strip()))
    return sections


def configure(home: Path, **environment: str) -> Path:
    """The rendered configuration."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CALLRACE_")}
    subprocess.run(
        [PROVISION, "configure", home / "etc", home / "secrets"], check=True, env=inherited | environment
    )
    return home / "etc"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_ari_listens_on_loopback_alone(tmp_path: Path) -> None:
    http = dict(read(configure(tmp_path) / "http.conf")["general"])
    assert http["bindaddr"] == "127.0.0.1"
    assert "tlsenable" not in http


def test_events_tell_variables_and_no_functions_which_could_halt_asterisk(tmp_path: Path) -> None:
    assert "(" not in dict(read(configure(tmp_path) / "ari.conf")["general"])["channelvars"]


def test_ami_listens_on_loopback_alone_and_not_over_http(tmp_path: Path) -> None:
    manager = dict(read(configure(tmp_path) / "manager.conf")["general"])
    assert (manager["bindaddr"], manager["webenabled"]) == ("127.0.0.1", "no")


def test_the_users_of_ari_and_ami_are_admitted_from_loopback_alone(tmp_path: Path) -> None:
    etc = configure(tmp_path)
    for file in ("ari.conf", "manager.conf"):
        assert ("acl", "loopback") in read(etc / file)["callrace"]
    rules = read(etc / "acl.conf")["loopback"]
    assert rules == [("deny", "0.0.0.0/0"), ("deny", "::/0"), ("permit", "127.0.0.0/8")]


def test_ami_neither_originates_calls_nor_runs_commands(tmp_path: Path) -> None:
    rights = dict(read(configure(tmp_path) / "manager.conf")["callrace"])["write"].split(",")
    assert not {"originate", "command", "config", "all"} & set(rights)


def test_no_password_ships() -> None:
    passwords = {
        (path.name, value)
        for path in SHIPPED
        for _, value in re.findall(r"(?m)^(password|secret)\s*=>?\s*(.+)$", path.read_text())
    }
    assert passwords == {
        ("ari.conf", "@ARI_SECRET@"),
        ("manager.conf", "@AMI_SECRET@"),
        ("pjsip_phones.conf", "@PHONE_SECRET_agent-101@"),
        ("pjsip_phones.conf", "@PHONE_SECRET_agent-102@"),
    }


def test_a_password_is_generated_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    configure(tmp_path)
    secrets = [path for path in (tmp_path / "secrets").rglob("*") if path.is_file()]
    before = {path.relative_to(tmp_path / "secrets").as_posix(): path.read_text() for path in secrets}
    configure(tmp_path)
    after = {path.relative_to(tmp_path / "secrets").as_posix(): path.read_text() for path in secrets}
    assert before == after
    assert set(before) == {"ari", "ami", "phones/agent-101", "phones/agent-102"}
    assert len(set(before.values())) == len(before)
    assert all(
        len(password) == 48 and mode(path) == 0o600
        for path, password in zip(secrets, before.values(), strict=True)
    )
    assert mode(tmp_path / "secrets") == 0o700


def test_only_the_owner_can_read_the_rendered_configuration(tmp_path: Path) -> None:
    etc = configure(tmp_path)
    assert mode(etc) == 0o700
    assert {mode(path) for path in etc.rglob("*.conf")} == {0o600}


def test_nothing_is_left_to_fill_in(tmp_path: Path) -> None:
    rendered = list(configure(tmp_path).rglob("*.conf"))
    assert {path.name for path in rendered} >= {path.name for path in SHIPPED}
    for path in rendered:
        assert not re.search(r"@[A-Z]+_[A-Z]+", path.read_text()), path


def test_the_environment_chooses_ports_and_the_carrier(tmp_path: Path) -> None:
    etc = configure(
        tmp_path,
        CALLRACE_SIP_BIND="0.0.0.0",
        CALLRACE_SIP_PORT="5160",
        CALLRACE_RTP_START="30000",
        CALLRACE_CARRIER_ADDRESSES="192.0.2.1,198.51.100.0/24",
    )
    assert dict(read(etc / "pjsip.conf")["udp"])["bind"] == "0.0.0.0:5160"
    assert dict(read(etc / "rtp.conf")["general"]) | {"icesupport": "no"} == {
        "rtpstart": "30000", "rtpend": "39999", "icesupport": "no",
    }  # fmt: skip
    assert ("match", "192.0.2.1,198.51.100.0/24") in read(etc / "pjsip.conf")["carrier"]
    assert ("permit", "192.0.2.1,198.51.100.0/24") in read(etc / "acl.conf")["carrier"]


def test_the_trunk_registers_where_its_carrier_wants_that(tmp_path: Path) -> None:
    assert "main-login" not in read(configure(tmp_path) / "pjsip_trunks.conf")
    password = tmp_path / "secrets" / "trunks" / "main"
    password.parent.mkdir(mode=0o700)
    password.write_text("s3cret&more\n")
    carrier = {"CALLRACE_TRUNK_MAIN": "sip:sip.carrier.example:5080", "CALLRACE_TRUNK_MAIN_USER": "acme"}
    trunks = read(configure(tmp_path, **carrier) / "pjsip_trunks.conf")
    assert ("outbound_auth", "main-login") in trunks["main"]
    wanted = {
        "password": "s3cret&more",
        "server_uri": "sip:sip.carrier.example:5080",
        "client_uri": "sip:acme@sip.carrier.example:5080",
    }
    assert wanted.items() <= dict(trunks["main-login"]).items()


@pytest.mark.parametrize(
    ("user", "password"),
    [
        ("acme", None),
        ("acme", "two\nlines"),
        ("acme", "a;comment"),
        ("a\n[evil]", "secret"),
        ("acme", "@ARI_SECRET@"),
    ],
)
def test_a_login_that_could_write_configuration_is_refused(
    tmp_path: Path, user: str, password: str | None
) -> None:
    file = tmp_path / "secrets" / "trunks" / "main"
    file.parent.mkdir(parents=True)
    if password is not None:
        file.write_text(password)
    with pytest.raises(subprocess.CalledProcessError):
        configure(tmp_path, CALLRACE_TRUNK_MAIN_USER=user)


def certified(home: Path, *names: str) -> Path:
    """Files in secrets/tls, of which only that they are there is looked at."""
    folder = home / "secrets" / "tls"
    folder.mkdir(parents=True)
    for name in names or ("certificate.pem", "key.pem"):
        (folder / name).write_text("made elsewhere\n")
    return folder


def encryption(etc: Path, file: str, endpoint: str) -> list[str]:
    return [value for name, value in read(etc / file)[endpoint] if name == "media_encryption"]


def test_without_a_certificate_there_is_no_tls_and_telephones_are_plain(tmp_path: Path) -> None:
    etc = configure(tmp_path)
    assert "tls" not in read(etc / "pjsip.conf")
    assert encryption(etc, "pjsip_phones.conf", "phone") == ["no"]
    assert encryption(etc, "pjsip_trunks.conf", "main") == ["no"]
    assert mode(tmp_path / "secrets" / "tls") == 0o700


def test_with_a_certificate_telephones_encrypt_but_for_those_that_may_be_plain(tmp_path: Path) -> None:
    certified(tmp_path)
    etc = configure(tmp_path, CALLRACE_SIP_TLS_PORT="5161")
    tls = dict(read(etc / "pjsip.conf")["tls"])
    assert (tls["bind"], tls["method"]) == ("127.0.0.1:5161", "sslv23")  # TLS 1.2 and 1.3
    assert (tls["cert_file"], tls["priv_key_file"]) == tuple(
        f"/etc/callrace/tls/{name}.pem" for name in ("certificate", "key")
    )
    assert "verify_server" not in tls
    assert encryption(etc, "pjsip_phones.conf", "phone") == ["sdes"]
    assert encryption(etc, "pjsip_phones.conf", "phone-plain") == ["no"]
    assert encryption(etc, "pjsip_trunks.conf", "main") == ["no"]  # it goes by UDP


def test_with_authorities_nobody_is_called_whom_they_have_not_signed(tmp_path: Path) -> None:
    certified(tmp_path, "certificate.pem", "key.pem", "authorities.pem")
    tls = dict(read(configure(tmp_path) / "pjsip.conf")["tls"])
    assert (tls["ca_list_file"], tls["verify_server"]) == ("/etc/callrace/tls/authorities.pem", "yes")


@pytest.mark.parametrize(("srtp", "encrypts"), [("", "sdes"), ("yes", "sdes"), ("no", "no")])
def test_a_trunk_by_tls_encrypts_unless_it_is_said_to_be_plain(
    tmp_path: Path, srtp: str, encrypts: str
) -> None:
    certified(tmp_path)
    carrier = {"CALLRACE_TRUNK_MAIN": "sip:gw.example:5061;transport=tls", "CALLRACE_TRUNK_MAIN_SRTP": srtp}
    etc = configure(tmp_path, **carrier)
    assert encryption(etc, "pjsip_trunks.conf", "main") == [encrypts]
    text = (etc / "pjsip_trunks.conf").read_text()
    assert "\ncontact = sip:gw.example:5061\\;transport=tls\n" in text  # without \\ a comment begins there


def test_a_trunk_registers_by_tls(tmp_path: Path) -> None:
    certified(tmp_path)
    (tmp_path / "secrets" / "trunks").mkdir()
    (tmp_path / "secrets" / "trunks" / "main").write_text("secret")
    carrier = {"CALLRACE_TRUNK_MAIN": "sip:gw.example;transport=tls", "CALLRACE_TRUNK_MAIN_USER": "acme"}
    text = (configure(tmp_path, **carrier) / "pjsip_trunks.conf").read_text()
    assert "\nserver_uri = sip:gw.example\\;transport=tls\n" in text
    assert "\nclient_uri = sip:acme@gw.example\\;transport=tls\n" in text


@pytest.mark.parametrize(
    ("files", "environment", "told"),
    [
        (("certificate.pem",), {}, "key.pem: put the key of"),
        (("none",), {"CALLRACE_TRUNK_MAIN": "sip:gw;transport=tls"}, "put one into"),
        (("none",), {"CALLRACE_TRUNK_MAIN_SRTP": "yes"}, "the keys would be sent in clear"),
        (("none",), {"CALLRACE_TRUNK_MAIN_SRTP": "maybe"}, "expected yes or no"),
        (("none",), {"CALLRACE_TRUNK_MAIN": "sip:gw;lr\n[evil]"}, "expected an address"),
        (("none",), {"CALLRACE_TRUNK_MAIN": "gw.example"}, "expected an address"),
        ((), {}, "is a link"),
    ],
)
def test_what_cannot_be_encrypted_so_is_refused_with_the_reason(
    tmp_path: Path, files: tuple[str, ...], environment: dict[str, str], told: str
) -> None:
    folder = certified(tmp_path, *files)
    if told == "is a link":
        (folder / "certificate.pem").unlink()
        (folder / "certificate.pem").symlink_to("/nowhere")
    ours = {
        name: value for name, value in os.environ.items() if not name.startswith("CALLRACE_")
    } | environment
    command = [PROVISION, "configure", tmp_path / "etc", tmp_path / "secrets"]
    done = subprocess.run(command, env=ours, capture_output=True, text=True)
    assert done.returncode == 1
    assert told in done.stderr


def test_an_overlay_replaces_files_and_adds_others(tmp_path: Path) -> None:
    overlay = tmp_path / "overlay"
    (overlay / "dialplan").mkdir(parents=True)
    (overlay / "cel.conf").write_text("[general]\nenable = yes\n")
    (overlay / "dialplan" / "mine.conf").write_text("; SIP is on @SIP_PORT@\n")
    etc = configure(tmp_path, CALLRACE_ASTERISK_OVERLAY=str(overlay), CALLRACE_SIP_PORT="5160")
    assert dict(read(etc / "cel.conf")["general"])["enable"] == "yes"
    assert (etc / "dialplan" / "mine.conf").read_text() == "; SIP is on 5160\n"
    assert (etc / "dialplan" / "callrace.conf").exists()


def test_what_asterisk_records_is_where_the_commands_look_for_it() -> None:
    services = yaml.safe_load((REPO / "asterisk-docker" / "compose.yaml").read_text())["services"]
    assert "recordings:/var/spool/callrace/monitor" in services["asterisk"]["volumes"]
    assert "recordings:/var/lib/callrace/recordings" in services["switch"]["volumes"]


def test_only_named_modules_are_loaded() -> None:
    modules = read(REPO / "config" / "asterisk" / "modules.conf")["modules"]
    assert modules[0] == ("autoload", "no")
    names = [value for name, value in modules[1:]]
    assert len(names) == len(set(names))
    needed = """app_dial app_mixmonitor app_stasis bridge_native_rtp chan_pjsip res_agi res_ari_channels
        res_ari_sounds res_http_websocket res_musiconhold res_pjsip_acl res_pjsip_authenticator_digest
        res_pjsip_rfc3326 res_rtp_asterisk"""
    assert {f"{name}.so" for name in needed.split()} <= set(names)


def test_calls_come_in_by_the_carrier_alone() -> None:
    """Whoever is none of these takes the context of the template that it is made from; `default` there is none."""
    contexts = [
        (name, value)
        for path in ("pjsip.conf", "pjsip_trunks.conf", "pjsip_phones.conf")
        for name, options in read(REPO / "config" / "asterisk" / path).items()
        for option, value in options
        if option == "context"
    ]
    assert contexts == [
        ("carrier", "callrace-in"),
        ("ready", CONTEXT),
        ("nobody", "callrace-refused"),
        ("agents", "callrace-refused"),
        ("main", "callrace-refused"),
        ("phone", "callrace-refused"),
    ]


DIALPLAN = (REPO / "dialplan" / "callrace.conf").read_text().split("\n[callrace-refused]")[0]
LINES = [line for line in DIALPLAN.splitlines() if not line.lstrip().startswith(";")]


def test_what_a_caller_dials_is_cut_and_encoded_and_nothing_else_is_done_with_it() -> None:
    used = re.findall(r".{0,15}\$\{EXTEN.{0,8}", "\n".join(LINES))
    assert used == ["${URIENCODE((((${EXTEN:0:60})}"]
    section = DIALPLAN.split("[callrace-in]")[1].split("\n[")[0]
    assert re.findall(r"(?m)^exten => ([^,]+),", section) == ["_[0-9a-zA-Z+*#(%].", "i"]


OWN = (
    "CALLRACE_LEG_OF=${PJSIP_HEADER(read,X-Callrace-Call):0:23}"  # of which the hexadecimal digits are taken
)


def test_each_header_is_cut_and_encoded() -> None:
    headers = re.findall(
        r"(\S{0,15})\$\{PJSIP_HEADER\(read,[^)]*\)(\S{0,8})", "\n".join(LINES).replace(OWN, "")
    )
    assert len(headers) > 10
    for before, behind in headers:
        is_encoded = before.endswith("${URIENCODE((((") and re.match(r":0:\d+\}\)", behind)
        assert is_encoded or (before.endswith("${LEN(") and behind.startswith("})}")), (before, behind)


@pytest.mark.parametrize(
    "version", ["Asterisk 22.10.1~dfsg-1", "Asterisk 22.10.2", "Asterisk 23.4.0", "22.10.1+dfsg"]
)
def test_an_asterisk_of_2026_is_accepted(version: str) -> None:
    subprocess.run([PROVISION, "check", version], check=True)


@pytest.mark.parametrize("version", ["Asterisk 22.10.0", "Asterisk 20.19.1", "Asterisk certified-20.7-cert9"])
def test_an_older_asterisk_is_refused_with_the_reason(version: str) -> None:
    done = subprocess.run([PROVISION, "check", version], capture_output=True, text=True)
    assert done.returncode == 1
    assert "too old" in done.stderr
    assert "security" in done.stderr
