"""Import labelled images of any common annotation format as events, like those of a camera."""
