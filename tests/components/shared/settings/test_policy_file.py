import pytest

from components.shared.contracts.errors import UserError
from components.shared.contracts.policy import Policy, RolloutPolicy
from components.shared.settings.policy_file import KINDS, policy_from


@pytest.fixture
def policy(tmp_path):
    """Return all policies as a file changes them."""

    def policy(text):
        file = tmp_path / "policy.yaml"
        file.write_text(text)
        return policy_from({"POLICY": str(file)})

    return policy


@pytest.fixture
def mounted(tmp_path):
    """Return all policies as a mounted config map changes them, by its keys."""

    def mounted(**keys):
        for name, text in keys.items():
            (tmp_path / name.replace("_", ".")).write_text(text)
        return policy_from({}, tmp_path)

    return mounted


def test_without_a_file_every_value_is_the_default(tmp_path):
    assert policy_from({}, tmp_path / "nowhere") == Policy()


@pytest.mark.parametrize("text", ["", "# nothing\n", "rollout:\n  # min_step_s: 300\n"])
def test_a_file_without_a_value_changes_nothing(policy, text):
    assert policy(text) == Policy()


def test_a_file_changes_what_it_names_and_nothing_else(policy):
    changed = policy(
        "rollout: {min_step_s: 300, steps: [0, 50, 100]}\nexport: {max_parity_images: 9}"
    )

    rollout = RolloutPolicy(min_step_s=300, steps=(0, 50, 100))
    assert changed.rollout == rollout
    assert changed.export.max_parity_images == 9
    assert (
        changed.model_copy(update={"rollout": Policy().rollout, "export": Policy().export})
        == Policy()
    )


def test_a_number_may_have_an_exponent(policy):
    assert policy("export: {max_score_difference: 1e-3}").export.max_score_difference == 1e-3


def test_a_mounted_config_map_is_read(mounted):
    assert mounted(policy_yaml="drift: {min_frames: 7}").drift.min_frames == 7


def test_a_config_map_that_is_not_there_changes_nothing(mounted):
    assert mounted() == Policy()


def test_a_file_that_is_named_comes_before_a_config_map(mounted, tmp_path):
    mounted(policy_yaml="drift: {min_frames: 7}")
    (tmp_path / "mine.yaml").write_text("drift: {min_frames: 8}")

    assert policy_from({"POLICY": str(tmp_path / "mine.yaml")}, tmp_path).drift.min_frames == 8


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("rolout: {}", "rolout is unknown, the nearest known is rollout; "),
        ("rollout: {min_stepp_s: 3}",
         "rollout.min_stepp_s is unknown, the nearest known is rollout.min_step_s; "),
        ("min_step_s: 3", "min_step_s is unknown, the nearest known is rollout.min_step_s; "),
        ("rollout: {max_hard_lost: 1}",
         "rollout.max_hard_lost is unknown, the nearest known is promotion.max_hard_lost; "),
        ("rollout: 5", "rollout is '5', expected fields, some of steps, min_step_s, "),
        ("[1]", r"is '\[1\]', expected sections, some of imports, split, "),
        ("rollout: {min_requests: 0}",
         "rollout.min_requests: Input should be greater than or equal to 1, got 0"),
        ("rollout: {min_requests: many}",
         "rollout.min_requests: Input should be a valid integer, got 'many'"),
        ("rollout: {min_requests: yes}",
         "rollout.min_requests: Input should be a valid integer, got True"),
        ("rollout: {min_step_s: .nan}", "rollout.min_step_s: Input should be "),
        ("rollout: {steps: [50, 5]}",
         r"rollout: steps are \[50, 5\], expected each above the one before"),
        ("split: {train_share: 0.8}", "split: the shares of the splits sum to 1.1, expected 1"),
        ("training: {min_epochs: 200}",
         "training: min_epochs is 200, expected at most max_epochs, 150"),
        ("validation: {fail: [undecodeable]}",
         "validation.fail.0: Input should be 'undecodable', .* got 'undecodeable'"),
        ("rollout: [", "is no YAML: "),
        ("rollout: {}\nrollout: {}", "is no YAML: .*rollout stands twice"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_what_is_right(policy, text, sentence):
    with pytest.raises(UserError, match=f"^POLICY: policy.yaml:? ?{sentence}"):
        policy(text)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(
        UserError, match=r"^POLICY is .*gone.yaml, expected a YAML file: No such file"
    ):
        policy_from({"POLICY": str(tmp_path / "gone.yaml")})


def test_a_config_map_with_another_key_is_refused(mounted):
    with pytest.raises(UserError, match=r"config map car-policy has rollout[.]yaml, expected"):
        mounted(rollout_yaml="{}")


def test_the_variable_of_before_is_refused_with_what_takes_its_place():
    with pytest.raises(UserError, match=r"^ROLLOUT_POLICY .*under rollout in the file that POLICY"):
        policy_from({"ROLLOUT_POLICY": "step_seconds: 2"})


@pytest.mark.parametrize("section", KINDS)
def test_every_field_has_a_unit_a_description_and_an_allowed_range(section):
    from components.shared.contracts.policy.field import unit_of

    for name, field in KINDS[section].model_fields.items():
        assert unit_of(field), name
        assert field.description, name
        assert field.metadata or "tuple" in str(field.annotation), name


@pytest.mark.parametrize("section", KINDS)
def test_what_a_program_prints_of_a_policy_is_read_back(policy, section):
    default = getattr(Policy(), section)

    assert getattr(policy(f"{section}: {default.model_dump_json()}"), section) == default
