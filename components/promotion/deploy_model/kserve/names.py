"""Names that KServe gives, and that more than one file spells."""

GROUP = "serving.kserve.io"  # of its kinds
DEPLOYMENT_MODE = f"{GROUP}/deploymentMode"  # annotation of an InferenceService
SERVER = "kserve-container"  # name of the container that serves, in a pod of a predictor
