"""A registered model is put in service where people ask, proved there, and promoted."""
