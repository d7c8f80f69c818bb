from components.__main__ import main
from components.shared.contracts.absence import mark_absent
from components.shared.contracts.report import DriftReport


def run(scene, tmp_path, monkeypatch, window, champion):
    monkeypatch.setenv("OBJECT_STORE_URL", scene.objects.url)
    outputs = {name: tmp_path / name for name in ("drift", "page", "evidently", "metrics")}
    options = [part for name, path in outputs.items() for part in (f"--{name}", str(path))]
    main(["detect_drift", "--window", str(window), "--champion", str(champion), *options])
    return DriftReport.read(outputs["drift"]), outputs


def test_the_wrapper_runs_by_hand_without_a_champion(scene, tmp_path, monkeypatch, capsys):
    mark_absent(tmp_path / "none", "no model of yard is in service")
    window = scene.window(frames=3).root

    report, outputs = run(scene, tmp_path, monkeypatch, window, tmp_path / "none")

    assert not report.enough
    assert "no model of yard is in service" in outputs["page"].read_text()
    assert "no model of yard is in service" in outputs["evidently"].read_text()
    assert capsys.readouterr().out.endswith("» too little data: 3 frames\n")
