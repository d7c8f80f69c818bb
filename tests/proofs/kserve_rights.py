"""Who may read KServe's configuration and storage containers: asked of a real API server.

`manifests/kserve-reader` lets one account of one namespace read one config map;
`manifests/kserve-storage` lets every service account of the cluster look at the storage
containers. Neither lets anybody change anything.
"""

from typing import NamedTuple

from tests.proofs.rights import NEEDED, account_of, allowed, named

CONFIG = "configmaps/inferenceservice-config"
CONTAINERS = "clusterstoragecontainers.serving.kserve.io"
CHANGES = ("create", "update", "patch", "delete")
DEPLOYER = "car-deployer"
PERSON = ("somebody", ["system:authenticated"])  # no service account
ANONYMOUS = ("system:anonymous", ["system:unauthenticated"])


class Question(NamedTuple):
    """Whether somebody may do something in a namespace, or in none; and what is expected."""

    who: tuple[str, list[str]]
    verb: str
    resource: str
    namespace: str
    expected: bool


def questions(space: str, kserve: str) -> list[Question]:
    """Return what is asked.

    Args:
        space: Namespace of our accounts.
        kserve: Namespace of KServe's configuration.
    """
    deployer, others = account_of(space, DEPLOYER), set(NEEDED) - {DEPLOYER}
    strangers = [account_of("elsewhere", DEPLOYER), PERSON, ANONYMOUS]
    accounts = [account_of(space, name) for name in sorted(others)]
    return [
        Question(deployer, "get", CONFIG, kserve, True),
        *(Question(deployer, verb, CONFIG, kserve, False) for verb in CHANGES),
        Question(deployer, "list", "configmaps", kserve, False),
        Question(deployer, "get", "configmaps/another", kserve, False),
        Question(deployer, "get", "secrets", kserve, False),
        Question(deployer, "get", CONFIG, space, False),
        *(Question(who, "get", CONFIG, kserve, False) for who in [*accounts, *strangers]),
        Question(deployer, "get", CONTAINERS, "", True),
        Question(account_of("elsewhere", DEPLOYER), "get", CONTAINERS, "", True),
        *(Question(who, "get", CONTAINERS, "", True) for who in accounts),
        *(Question(who, "get", CONTAINERS, "", False) for who in (PERSON, ANONYMOUS)),
        *(Question(deployer, verb, CONTAINERS, "", False) for verb in ("list", *CHANGES)),
    ]


def ask(space: str, kserve: str) -> bool:
    """Ask every question, print what is not as expected, and say if all is."""
    asked = questions(space, kserve)
    wrong = [each for each in asked if _allowed(each) != each.expected]
    print(f"rights at KServe: {len(asked)} asked, {len(wrong)} wrong")
    for each in wrong:
        may = "may not" if each.expected else "may"
        where = each.namespace or "the cluster"
        print(f"  WRONG: {each.who[0]} {may} {each.verb} {each.resource} in {where}")
    return not wrong


def _allowed(question: Question) -> bool:
    where = {"namespace": question.namespace} if question.namespace else {}
    attributes = {"verb": question.verb, **named(question.resource), **where}
    return allowed(*question.who, attributes)
