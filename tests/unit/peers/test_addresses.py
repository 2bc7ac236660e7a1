"""Which URLs of others may be called."""

import pytest

from gateway.peers import AddressRefused, addresses, read_target


def _refuse(url: str, *, private: bool) -> str:
    with pytest.raises(AddressRefused) as refused:
        addresses(read_target(url, private=private), private=private)
    assert refused.value.code == "address-refused"
    return str(refused.value)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.8.9.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "192.0.2.1", "0",
        "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "localhost",
        "[::1]", "[fc00::1]", "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
    ],
)  # fmt: skip
def test_private_networks_are_refused_however_the_address_is_written(host: str) -> None:
    assert "not public" in _refuse(f"https://{host}/hook", private=False)


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254", "100.100.100.200", "[fd00:ec2::254]", "[fe80::1]", "[::ffff:169.254.169.254]",
        "[64:ff9b::a9fe:a9fe]", "0", "224.0.0.1", "[ff02::1]",
    ],
)  # fmt: skip
def test_no_setting_lets_a_webhook_ask_for_the_credentials_of_a_cloud(host: str) -> None:
    assert "not public" in _refuse(f"http://{host}/latest/meta-data", private=True)


@pytest.mark.parametrize("host", ["127.0.0.1", "10.1.2.3", "[::1]", "[fd12::1]"])
def test_a_setting_allows_private_networks(host: str) -> None:
    assert addresses(read_target(f"http://{host}:8080/hook", private=True), private=True) == [
        host.strip("[]")
    ]


@pytest.mark.parametrize("host", ["1.1.1.1", "[2606:4700:4700::1111]"])
def test_public_addresses_are_called(host: str) -> None:
    assert addresses(read_target(f"https://{host}", private=False), private=False) == [host.strip("[]")]


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/", "ftp://example.com/", "//example.com/", "example.com", "https:///hook", "https://",
        "https://user@example.com/", "https://user:word@example.com/", "https://@example.com/",
        "https://example.com/#part", "https://example.com:0/", "https://example.com:99999/",
        "https://example.com:x/", "https://exa mple.com/", "https://example.com/\n", "https://[::1/",
        "https://例.cn/", "https://example.com\\@10.0.0.1/", "https://example.com/" + "a" * 2000,
    ],
    ids=str.__repr__,
)  # fmt: skip
def test_other_urls_are_refused(url: str) -> None:
    _refuse(url, private=False)


def test_a_name_that_nobody_has_is_refused() -> None:
    assert "cannot be resolved" in _refuse("https://nobody.invalid/", private=True)


def test_a_target_is_called_by_its_address_under_its_own_name() -> None:
    target = read_target("https://Example.COM:8443/hook?a=1", private=False)
    plain = read_target("https://example.com", private=False)

    assert target.at("2001:db8::1") == "https://[2001:db8::1]:8443/hook?a=1"
    assert target.authority == "example.com:8443"
    assert (plain.at("192.0.2.7"), plain.authority) == ("https://192.0.2.7:443/", "example.com")
