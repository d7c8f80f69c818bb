import pytest

from components.shared.contracts.errors import UserError
from components.shared.contracts.model import PackageError
from components.shared.inference import signature
from components.shared.inference.signature import make_keys, sign


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return make_keys(tmp_path_factory.mktemp("keys"))


def test_keys_are_made_once_and_the_private_one_is_for_its_owner_alone(tmp_path):
    first = make_keys(tmp_path)
    pem = first.private.read_bytes()

    assert make_keys(tmp_path) == first
    assert first.private.read_bytes() == pem
    assert first.private.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("find", ["private_key", "public_key"])
def test_a_key_that_is_named_and_missing_never_means_no_key(find, tmp_path):
    name = f"SIGNING_{find.upper()}"

    with pytest.raises(UserError, match=f"{name} is .*nowhere.pem', expected a PEM file"):
        getattr(signature, find)({name: str(tmp_path / "nowhere.pem")})


def test_no_key_in_the_environment_is_no_key():
    assert signature.public_key({}) is None


def test_a_key_of_another_kind_is_refused(tmp_path, tiny_package):
    (tmp_path / "key.pem").write_text("-----BEGIN NOTHING-----\n")

    with pytest.raises(UserError, match="no unencrypted elliptic key"):
        sign(tiny_package().root, tmp_path / "sig", tmp_path / "key.pem")


def test_people_sign_and_verify_by_hand(tmp_path, tiny_package, monkeypatch, capsys):
    package = tiny_package()
    signature.main(["keygen", str(tmp_path / "keys")])
    private, public = capsys.readouterr().out.split()
    monkeypatch.setenv("SIGNING_PRIVATE_KEY", private)
    monkeypatch.setenv("SIGNING_PUBLIC_KEY", public)
    signature.main(["sign", str(package.root)])
    signature.main(["verify", str(package.root)])
    package.golden.write_text("")

    with pytest.raises(PackageError, match=r"golden\.jsonl"):
        signature.main(["verify", str(package.root)])
    assert "package-0.sig: right" in capsys.readouterr().out


def test_a_lost_public_key_is_made_again_from_the_private_one(tmp_path):
    before = make_keys(tmp_path).public.read_bytes()
    (tmp_path / "public.pem").unlink()

    assert make_keys(tmp_path).public.read_bytes() == before


def test_a_private_key_that_is_none_is_refused_and_left_alone(tmp_path):
    (tmp_path / "private.pem").write_text("half a key")

    with pytest.raises(UserError, match=r"private\.pem is no unencrypted private key"):
        make_keys(tmp_path)
    assert (tmp_path / "private.pem").read_text() == "half a key"


def test_what_is_no_folder_cannot_be_signed(tmp_path):
    key = make_keys(tmp_path).private

    with pytest.raises(UserError, match="is no folder"):
        sign(tmp_path / "nothing", tmp_path / "nothing.sig", key)
