"""Names, groups and annotations of KServe that more than one module uses."""

GROUP = "serving.kserve.io"  # of its kinds
DEPLOYMENT_MODE = f"{GROUP}/deploymentMode"  # annotation of an InferenceService
SERVER = "kserve-container"  # name of the container that serves, in a pod of a predictor
