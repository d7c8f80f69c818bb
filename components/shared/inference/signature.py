"""Sign and verify packages by OpenSSF model signing with a key pair.

A signature lies beside its package.
`python -m components.shared.inference.signature keygen FOLDER` makes the pair; `sign PACKAGE` and
`verify PACKAGE` do by hand what registering a model and serving it do by themselves.

Source: https://openssf.org/projects/model-signing
"""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from components.shared.contracts.errors import ApplicationError, ExitCode, UserError
from components.shared.contracts.model import PackageError

MOUNTED_KEY = Path("/var/run/secrets/car-signing/private.pem")


class SignatureError(PackageError):
    """A package is not signed, is signed by another key, or was changed after signing."""


class Keys(NamedTuple):
    """A pair of PEM files; the private one signs, the public one verifies."""

    private: Path
    public: Path


def make_keys(folder: str | Path) -> Keys:
    """Generate an elliptic key pair (NIST P-256); an existing private key is kept.

    Args:
        folder: Folder for `private.pem`, readable by its owner alone, and `public.pem`.

    Raises:
        UserError: If the existing private key is not valid.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    keys = Keys(Path(folder) / "private.pem", Path(folder) / "public.pem")
    if not keys.private.exists():
        keys.private.parent.mkdir(parents=True, exist_ok=True)
        pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        _write_secret(keys.private, pem)
    try:
        key = serialization.load_pem_private_key(keys.private.read_bytes(), password=None)
    except (ValueError, TypeError) as cause:  # TypeError: it wants a password
        raise UserError(f"{keys.private} is no unencrypted private key in PEM: {cause}") from cause
    keys.public.write_bytes(
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    return keys


def _write_secret(path: Path, content: bytes) -> None:
    """Write a file atomically, readable by its owner alone."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    fresh.replace(path)


def private_key(environ: Mapping[str, str]) -> Path | None:
    """Return the key to sign with: SIGNING_PRIVATE_KEY, or the mounted one; None: do not sign.

    Raises:
        UserError: If SIGNING_PRIVATE_KEY names no file.
    """
    named = environ.get("SIGNING_PRIVATE_KEY")
    if named and not Path(named).is_file():
        raise UserError(f"SIGNING_PRIVATE_KEY is {named!r}, expected a PEM file")
    return Path(named) if named else MOUNTED_KEY if MOUNTED_KEY.is_file() else None


def public_key(environ: Mapping[str, str]) -> Path | None:
    """Return the key to verify with: SIGNING_PUBLIC_KEY; None: do not verify.

    Raises:
        UserError: If the file does not exist: a missing mount must not switch verification off.
    """
    named = environ.get("SIGNING_PUBLIC_KEY")
    if named and not Path(named).is_file():
        raise UserError(f"SIGNING_PUBLIC_KEY is {named!r}, expected a PEM file")
    return Path(named) if named else None


def sign(package: Path, signature: Path, key: Path) -> None:
    """Sign every file of a package.

    Args:
        package: A `PackageLayout`.
        signature: File to write, outside the package.
        key: The private key, PEM.

    Raises:
        UserError: If the key is not valid, or there is no package.
    """
    from model_signing import signing

    if not package.is_dir():
        raise UserError(f"{package} is no folder, expected a model package")
    try:
        signer = signing.Config().use_elliptic_key_signer(private_key=key)  # type: ignore[no-untyped-call]
    except (ValueError, TypeError) as cause:  # TypeError: it wants a password
        raise UserError(f"{key} is no unencrypted elliptic key in PEM: {cause}") from cause
    signer.set_hashing_config(_every_file()).sign(package, signature)


def check_signature(package: Path, signature: Path, key: Path) -> None:
    """Verify the signature of a package.

    Args:
        package: A `PackageLayout`.
        signature: File of its signature.
        key: The public key, PEM.

    Raises:
        SignatureError: If the signature is missing or does not match.
    """
    from model_signing import verifying

    name = f"model {package.name[:12]}"
    if not signature.is_file():
        raise SignatureError(f"{name} has no signature ({signature.name} is missing)")
    try:
        verifier = verifying.Config().use_elliptic_key_verifier(public_key=key)  # type: ignore[no-untyped-call]
        verifier.set_hashing_config(_every_file()).verify(package, signature)
    except Exception as cause:  # after any error the package is not verified
        reason = str(cause) or "it was not made with the expected key"
        raise SignatureError(f"the signature of {name} is not valid: {reason[:300]}") from cause


def _every_file() -> Any:
    """Return the hashing configuration: all files, also those that git ignores."""
    from model_signing import hashing

    config = hashing.Config()  # type: ignore[no-untyped-call]
    return config.set_ignored_paths(paths=[], ignore_git_paths=False)


def main(arguments: Sequence[str]) -> None:
    """Make keys, sign a package or verify one."""
    parser = argparse.ArgumentParser(prog="python -m components.shared.inference.signature")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("keygen", help="private.pem and public.pem into a folder").add_argument(
        "folder", type=Path
    )
    for verb, key in (("sign", "SIGNING_PRIVATE_KEY"), ("verify", "SIGNING_PUBLIC_KEY")):
        command = commands.add_parser(verb, help=f"a package, with the key that {key} names")
        command.add_argument("package", type=Path)
        command.add_argument("--signature", type=Path, help="instead of <package>.sig")
    options = parser.parse_args(arguments)
    if options.command == "keygen":
        print(*make_keys(options.folder), sep="\n")
        return
    signature = options.signature or options.package.with_name(f"{options.package.name}.sig")
    signs = options.command == "sign"
    pem = (private_key if signs else public_key)(os.environ)
    if pem is None:
        raise UserError(f"no key to {options.command} with, expected one in the environment")
    (sign if signs else check_signature)(options.package, signature, pem)
    print(f"{signature}: {'written' if signs else 'right'}")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except ApplicationError as error:
        print(f"refused: {error}", file=sys.stderr)
        sys.exit(ExitCode.of(error))
    except OSError as error:
        print(f"refused: {error.filename}: {error.strerror}", file=sys.stderr)
        sys.exit(ExitCode.REFUSED)
