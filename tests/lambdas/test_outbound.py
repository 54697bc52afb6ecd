"""Requests to URLs that other people chose reach public hosts only, at the address that was looked at,
and cannot be kept or filled up.
"""

import gzip
import socket
import threading
import time
from contextlib import contextmanager
from itertools import count
from threading import Event

import pytest
import requests
from requests_hardened.ip_filter import InvalidIPAddress

from lambdas import _outbound
from lambdas._outbound import OutboundRefused, check_url, is_public, open_outbound, post
from tests.lambdas.internet import HOST, PUBLIC
from tests.support.patience import PATIENCE_SECONDS, STANDSTILL_SECONDS

URL = f"https://{HOST}/in"


@pytest.fixture
def session(internet):
    with opened(internet) as session:
        yield session


@contextmanager
def opened(internet, **seconds):
    """A session whose time-outs are those of ``seconds``, and otherwise too long for any machine."""
    patient = dict.fromkeys(("connect_seconds", "read_seconds", "total_seconds"), PATIENCE_SECONDS)
    with open_outbound(**patient | seconds, user_agent="Test") as session:
        session.verify = internet.ca
        yield session


def ask(session, url=URL):
    return post(session, url, body="{}", headers={})[0]


# What is refused before anything is asked of anybody: the URL itself.

BLANKS, LONG, SCHEME, LOGIN, PORT, ADDRESS, NAME, INWARD = (
    "holds a blank", "longer than", "must begin with https", "user name", "a port other",
    "names an IP address", "does not name a host", "is not on the Internet",
)  # fmt: skip
NOT_URLS = [
    # URL, what is said of it
    ("", SCHEME),
    ("https://", SCHEME),
    ("https:///in", SCHEME),
    ("hooks.example.com/in", SCHEME),
    ("//hooks.example.com/in", SCHEME),
    ("http://hooks.example.com/in", SCHEME),  # not encrypted
    ("ftp://hooks.example.com/in", SCHEME),
    ("file:///etc/passwd", SCHEME),
    ("gopher://127.0.0.1:6379/_FLUSHALL", SCHEME),
    ("unix:///var/run/docker.sock", SCHEME),
    ("data:text/plain,hello", SCHEME),
    ("javascript:alert(1)", SCHEME),
    ("https://hooks.example.com/" + "a" * 300, LONG),  # what is left of a longer one would lead elsewhere
    ("https://hooks.example.com/a b", BLANKS),
    ("https://hooks.example.com/a\r\nX-Evil: 1", BLANKS),  # a header of its own
    ("https://hooks.example.com\t.evil.example", BLANKS),
    ("https://hooks.example.com\x00.evil.example", BLANKS),
    ("https://evil.example\\@hooks.example.com/", BLANKS),  # two parsers, two hosts
    ("https://hooks.example.com\xa0/", BLANKS),
    ("https://user:word@hooks.example.com/in", LOGIN),
    ("https://@hooks.example.com/in", LOGIN),
    ("https://hooks.example.com@127.0.0.1/in", LOGIN),
    ("https://hooks.example.com:80/in", PORT),
    ("https://hooks.example.com:22/in", PORT),
    ("https://hooks.example.com:9001/2018-06-01/runtime/invocation/next", PORT),  # Lambda's own
    ("https://hooks.example.com:0/in", PORT),
    ("https://hooks.example.com:99999/in", "It is no URL"),
    ("https://hooks.example.com:44a/in", "It is no URL"),
    ("https://127.0.0.1/in", ADDRESS),
    ("https://127.0.0.1:8443/in", ADDRESS),
    ("https://127.1/in", ADDRESS),  # short for it
    ("https://2130706433/in", ADDRESS),  # in decimal
    ("https://0x7f000001/in", ADDRESS),  # in hexadecimal
    ("https://0x7f.0.0.0x1/in", ADDRESS),
    ("https://017700000001/in", ADDRESS),  # in octal
    ("https://0177.0.0.1/in", ADDRESS),
    ("https://0/in", ADDRESS),
    ("https://0.0.0.0/in", ADDRESS),
    ("https://169.254.169.254/latest/meta-data/", ADDRESS),
    ("https://93.184.216.34/in", ADDRESS),  # public, and still no name that a certificate could be for
    ("https://[::1]/in", ADDRESS),
    ("https://[::]/in", ADDRESS),
    ("https://[::ffff:127.0.0.1]/in", ADDRESS),
    ("https://[::ffff:a9fe:a9fe]/in", ADDRESS),
    ("https://[fd00:ec2::254]/latest/meta-data/", ADDRESS),
    ("https://[fe80::1%25eth0]/in", ADDRESS),
    ("https://[2606:4700::1111]/in", ADDRESS),
    ("https://[::1/in", "It is no URL"),
    ("https://①②⑦.⓪.⓪.①/in", "It is no URL"),  # what some libraries make digits of
    ("https://127。0。0。1/in", "It is no URL"),
    ("https://localhost/in", NAME),
    ("https://redis/in", NAME),  # a neighbour by its short name
    ("https://hooks.example.com./in", NAME),  # the same host by another name
    ("https://localhost./in", NAME),
    ("https://.example.com/in", NAME),
    ("https://hooks..example.com/in", NAME),
    ("https://-hooks.example.com/in", NAME),
    ("https://hooks.example.com%2f@evil.example/in", LOGIN),
    ("https://*.example.com/in", NAME),
    (f"https://{'a' * 64}.example.com/in", NAME),
    ("https://api.localhost/in", INWARD),
    ("https://LOCALHOST.LocalDomain/in", INWARD),
    ("https://printer.local/in", INWARD),
    ("https://metadata.google.internal/computeMetadata/v1/", INWARD),
    ("https://ip-10-0-0-5.eu-central-1.compute.internal/in", INWARD),
    ("https://db.corp/in", INWARD),
    ("https://router.home.arpa/in", INWARD),
    ("https://1.0.0.127.in-addr.arpa/in", INWARD),
    ("https://something.onion/in", INWARD),
]  # fmt: skip


@pytest.mark.parametrize(("url", "said"), NOT_URLS)
def test_a_url_that_leads_inwards_or_nowhere_is_refused_before_its_name_is_looked_up(
    internet, session, url, said
):
    with pytest.raises(OutboundRefused) as caught:
        ask(session, url)
    assert said in str(caught.value)
    assert (internet.questions, internet.connections) == ([], [])


GOOD_URLS = [
    # URL, as it is asked for
    ("https://hooks.example.com/in", "https://hooks.example.com/in"),
    (" https://hooks.example.com/in\n", "https://hooks.example.com/in"),  # pasted
    ("HTTPS://Hooks.Example.COM/In?A=b#top", "https://hooks.example.com/In?A=b"),
    ("https://hooks.example.com:443/in", "https://hooks.example.com:443/in"),
    ("https://hooks.example.com:8443/in", "https://hooks.example.com:8443/in"),
    ("https://hooks.example.com", "https://hooks.example.com"),
    ("https://bücher.example/in", "https://xn--bcher-kva.example/in"),
    ("https://my_hooks.example.com/a%20b", "https://my_hooks.example.com/a%20b"),
    ("https://localhost.example.com/in", "https://localhost.example.com/in"),  # a host of example.com
    # A name; what it leads to is another matter
    ("https://127.0.0.1.nip.io/in", "https://127.0.0.1.nip.io/in"),
    ("https://8.example.com/in", "https://8.example.com/in"),
]


@pytest.mark.parametrize(("url", "asked"), GOOD_URLS)
def test_a_url_of_a_public_host_is_asked_for_as_it_is(url, asked):
    assert check_url(url) == asked


# What is refused once the name server has answered.

PRIVATE = [
    "127.0.0.1",  # this machine: Lambda's runtime listens at its port 9001
    "127.255.255.254",
    "0.0.0.0",  # this machine, too
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",  # behind a carrier's NAT
    "100.127.255.254",
    "169.254.169.254",  # the metadata of clouds
    "169.254.170.2",  # the credentials of containers
    "169.254.100.1",  # Lambda's own network
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.170",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",  # to many
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",  # IPv4 in disguise: once compatible
    "::7f00:1",
    "::ffff:127.0.0.1",  # mapped
    "::ffff:169.254.169.254",
    "::ffff:93.184.216.34",  # mapped and public: nobody needs to write it so
    "::ffff:0:127.0.0.1",  # translated
    "64:ff9b::7f00:1",  # by NAT64
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "2002:7f00:1::",  # 6to4
    "2001:0:4136:e378:8000:63bf:80ff:fffe",  # Teredo to 127.0.0.1
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "3fff::1",
    "100::1",
    "4000::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",  # the metadata of EC2
    "fd00::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",  # site-local
    "ff02::1",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_a_name_that_leads_to_an_address_that_is_not_public_is_refused_before_a_connection_is_made(
    internet, session, address
):
    internet.names[HOST] = [address]
    with pytest.raises(OutboundRefused) as caught:
        ask(session)
    assert str(caught.value) == "The host has no public address."
    assert internet.connections == []


@pytest.mark.parametrize(
    "answers",
    [
        [PUBLIC, "10.0.0.1"],  # the first would do
        ["10.0.0.1", PUBLIC],
        ["2606:4700::1111", "fd00:ec2::254"],
        [PUBLIC, "::ffff:127.0.0.1"],
        [PUBLIC] * 20 + ["127.0.0.1"],
    ],
)
def test_a_name_that_leads_both_outwards_and_inwards_is_refused(internet, session, answers):
    internet.names[HOST] = answers
    with pytest.raises(OutboundRefused):
        ask(session)
    assert internet.connections == []


@pytest.mark.parametrize(
    "address", [PUBLIC, "1.1.1.1", "8.8.8.8", "52.95.110.1", "2606:4700::1111", "2a00:1450:4001::200e"]
)
def test_a_public_address_is_connected_to(internet, session, address):
    internet.names[HOST] = [address]
    if ":" in address:  # the test's machine may have no IPv6
        with pytest.raises(requests.ConnectionError):
            ask(session)
    else:
        assert ask(session) == 200
    assert internet.connections == [(address, 443)]


def test_the_answer_that_was_looked_at_is_the_one_that_is_connected_to(internet, session):
    """A name server that says something else every time: public when it is asked, private when it is
    connected to.
    """
    internet.names[HOST] = [[PUBLIC], ["127.0.0.1"], ["169.254.169.254"]]
    assert ask(session) == 200
    assert (internet.questions, internet.connections) == ([HOST], [(PUBLIC, 443)])


def test_each_request_asks_anew(internet, session):
    internet.names[HOST] = [[PUBLIC], ["127.0.0.1"]]
    ask(session)
    with pytest.raises(OutboundRefused):
        ask(session)
    assert len(internet.connections) == 1


def test_the_library_still_looks_at_the_address_itself(internet, session, monkeypatch):
    """Were our own look mistaken, its own would be there."""
    monkeypatch.setattr(_outbound, "is_public", lambda address: True)
    internet.names[HOST] = ["127.0.0.1"]
    with pytest.raises(InvalidIPAddress):
        ask(session)
    assert internet.connections == []


@pytest.mark.parametrize("address", PRIVATE)
def test_no_private_address_counts_as_public(address):
    assert not is_public(address)


def test_a_name_that_is_not_known_is_said_to_be_so(internet, session):
    with pytest.raises(socket.gaierror):
        ask(session, "https://nobody.example.com/")


# The connection


def test_tls_and_the_host_header_go_by_the_name(internet, session):
    internet.names["hooks.example.com"] = [PUBLIC]
    assert ask(session, "https://hooks.example.com:8443/in") == 200
    ((name, headers, body),) = internet.requests
    assert (name, headers["host"], body) == (HOST, "hooks.example.com:8443", b"{}")
    assert internet.connections == [(PUBLIC, 8443)]


@pytest.mark.parametrize("host", ["other.example.com", "93.184.216.34.example.com"])
def test_a_certificate_for_another_name_is_refused(internet, session, host):
    internet.names[host] = [PUBLIC]
    with pytest.raises(requests.exceptions.SSLError):
        ask(session, f"https://{host}/")
    assert internet.requests == []


def test_a_certificate_of_an_authority_that_nobody_knows_is_refused(internet, session):
    session.verify = True
    with pytest.raises(requests.exceptions.SSLError):
        ask(session)
    assert internet.requests == []


def test_proxies_passwords_and_authorities_of_the_environment_are_not_used(
    internet, session, monkeypatch, tmp_path
):
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://10.0.0.1:3128")
    (tmp_path / "netrc").write_text(f"machine {HOST} login us password secret-word")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
    assert ask(session) == 200
    assert internet.connections == [(PUBLIC, 443)]
    assert "authorization" not in internet.requests[0][1]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "location", ["http://169.254.169.254/", f"https://{HOST}/other", "//127.0.0.1/", "file:///etc/passwd"]
)
def test_no_redirect_is_followed(internet, session, status, location):
    internet.answer = f"HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()
    assert ask(session) == status
    assert len(internet.connections) == 1


def test_only_https_has_an_adapter(session):
    with pytest.raises(requests.exceptions.InvalidSchema):
        session.post("http://hooks.example.com/", data="")


def test_cookies_are_not_kept(internet, session):
    internet.answer = b"HTTP/1.1 200 OK\r\nSet-Cookie: who=you\r\nContent-Length: 0\r\n\r\n"
    ask(session)
    ask(session)
    assert "cookie" not in internet.requests[1][1]


@pytest.mark.parametrize("status", ["200 OK", "302 Found\r\nLocation: /other", "500 Oops"])
def test_the_body_of_an_answer_is_neither_read_nor_unpacked(internet, status):
    """Ten megabytes of zeros fit into ten kilobytes; what comes after the head stays where it is."""
    sent, bomb = [], gzip.compress(b"\0" * 10_000_000)

    def pour(connection):
        connection.sendall(
            f"HTTP/1.1 {status}\r\nContent-Encoding: gzip\r\nContent-Length: 9999999999\r\n\r\n".encode()
        )
        for _ in count():
            connection.sendall(bomb)
            sent.append(len(bomb))

    internet.answer = pour
    # Who reads it never comes to its end.
    with opened(internet, total_seconds=STANDSTILL_SECONDS) as session:
        assert ask(session) == int(status[:3])
    assert sum(sent) < 8_000_000, "as much as the buffers of two sockets hold"


def test_an_answer_that_drips_is_cut_off_at_the_deadline(internet):
    """Each byte comes in time, and all of them would be a good answer, far beyond the deadline."""
    over = Event()

    def drip(connection):
        for byte in b"HTTP/1.1 200 OK\r\nX: " + b"x" * 10 * STANDSTILL_SECONDS + b"\r\n\r\n":
            connection.sendall(bytes([byte]))
            over.wait(0.1)

    internet.answer = drip
    started = time.monotonic()
    with opened(internet, total_seconds=0.5) as session, pytest.raises(requests.ConnectionError):
        ask(session)
    assert time.monotonic() - started >= 0.5, "cut off too early"


def test_no_timer_and_no_connection_is_left_of_a_request(internet, session):
    ask(session)
    assert not [
        each
        for each in threading.enumerate()
        if isinstance(each, threading.Timer) and not each.finished.is_set()
    ]


# A developer's machine


def test_with_a_catcher_nothing_leaves_the_machine(internet, monkeypatch):
    monkeypatch.setenv(_outbound.CATCHER, "http://127.0.0.1:9")
    with open_outbound(connect_seconds=1, read_seconds=1, total_seconds=1, user_agent="Test") as session:
        assert isinstance(session.get_adapter(URL), _outbound.CatchingAdapter)
        with pytest.raises(OutboundRefused):
            ask(session, "https://127.0.0.1/")


def test_on_lambda_there_is_no_catcher(internet, monkeypatch):
    monkeypatch.setenv(_outbound.CATCHER, "http://127.0.0.1:9001")
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "notifier-webhook")
    with open_outbound(connect_seconds=1, read_seconds=1, total_seconds=1, user_agent="Test") as session:
        assert isinstance(session.get_adapter(URL), _outbound.PinnedAdapter)
