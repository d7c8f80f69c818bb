"""Labelled images come from a folder, an archive or an object store, and stay inside it."""

import errno
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from components.data.import_dataset.component import import_dataset
from components.data.import_dataset.source import EXPECTED, opened
from components.data.import_dataset.unpack import SUFFIXES, Entry, Room
from components.shared.contracts.errors import UserError
from components.shared.contracts.policy import ImportPolicy
from components.shared.store.objects import Objects

CSV = "image,xmin,ymin,xmax,ymax,class\na.jpg,1,2,30,40,car\n"


@pytest.fixture
def files(picture):
    return {"images/a.jpg": picture(1), "boxes.csv": CSV.encode(), ".hidden": b"no"}


def zipped(files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def tarred(files, kind="gz", link=""):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=f"w:{kind}") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        if link:
            info = tarfile.TarInfo("images/b.jpg")
            info.type, info.linkname = tarfile.SYMTYPE, link
            archive.addfile(info)
    return buffer.getvalue()


PACKED = {
    "cars.zip": zipped,
    "cars.tar": lambda files: tarred(files, ""),
    "cars.tar.gz": tarred,
    "cars.tgz": tarred,
    "cars.tar.bz2": lambda files: tarred(files, "bz2"),
    "cars.tar.xz": lambda files: tarred(files, "xz"),
}


def test_every_form_of_archive_is_tried_below():
    assert {f".{name.partition('.')[2]}" for name in PACKED} == set(SUFFIXES)


def test_every_form_of_archive_is_named_where_people_read():
    readme = Path(__file__).parents[4] / "manifests/README.md"
    for text in (EXPECTED, import_dataset.python_func.__doc__, readme.read_text()):
        assert not [suffix for suffix in SUFFIXES if suffix not in text]


@pytest.mark.parametrize("name", PACKED)
def test_an_archive_is_read_as_the_folder_it_was_made_of(name, files, tmp_path):
    (tmp_path / name).write_bytes(PACKED[name](files))

    with opened(str(tmp_path / name)) as folder:
        assert folder.files == ["boxes.csv", "images/a.jpg"]
        root = folder.root
    assert not root.exists()


def test_a_folder_of_the_archive_s_own_name_inside_it_is_not_part_of_the_names(files, tmp_path):
    (tmp_path / "cars.zip").write_bytes(zipped({f"cars/{n}": it for n, it in files.items()}))

    with opened(str(tmp_path / "cars.zip")) as folder:
        assert folder.files == ["boxes.csv", "images/a.jpg"]


def test_a_folder_is_read_where_it_is(fill, files):
    source = fill(files)

    with opened(str(source)) as folder:
        assert folder.root == source


@pytest.mark.parametrize("name", ["uploads/cars", "uploads/cars.zip"])
def test_an_object_store_gives_a_prefix_or_an_archive(name, files, object_store):
    store = Objects(object_store)
    for key, content in files.items():
        store.put(f"uploads/cars/{key}", content)
    store.put("uploads/cars.zip", zipped(files))

    with opened(f"{object_store}/{name}") as folder:
        assert folder.files == ["boxes.csv", "images/a.jpg"]
        assert list(folder.root.parent.iterdir()) == [folder.root]  # the archive is gone by now


HOSTILE = {
    "a name that leads out": zipped({"../out.jpg": b"x"}),
    "a name that leads out of Windows": zipped({"..\\out.jpg": b"x"}),
    "an absolute name": tarred({"/tmp/out.jpg": b"x"}),
    "a name that leads out of a folder": tarred({"a/../../out.jpg": b"x"}),
    "a link": tarred({"a.jpg": b"x"}, link="../../etc/passwd"),
    "a bomb": zipped({"a.jpg": b"\0" * 3_000_000}),
    "many files": zipped({f"{n}.jpg": b"x" for n in range(11)}),
    "no archive": b"PK but no archive",
    "half an archive": zipped({"a.jpg": b"x" * 99})[:60],
    "half a tar": tarred({"a.jpg": bytes(range(256)) * 99})[:200],
    "nothing": b"",
}


@pytest.mark.parametrize("what", HOSTILE)
def test_an_archive_that_would_do_harm_or_is_damaged_is_refused_by_name(what, tmp_path):
    archive = tmp_path / "deep" / "cars.zip"
    archive.parent.mkdir()
    archive.write_bytes(HOSTILE[what])
    policy = ImportPolicy(max_files=10, max_mb=2, max_file_mb=2)

    with pytest.raises(UserError, match=r"cars\.zip"), opened(str(archive), policy):
        pass

    assert not list(tmp_path.rglob("out.jpg"))


@pytest.mark.parametrize("name", ["x" * 300 + ".jpg", "a.jpg/b.jpg"])
def test_a_name_that_no_file_can_have_is_refused_as_it_stands_in_the_archive(name, tmp_path):
    (tmp_path / "cars.zip").write_bytes(zipped({"a.jpg": b"x", name: b"x"}))

    with pytest.raises(UserError) as refused, opened(str(tmp_path / "cars.zip")):
        pass

    assert f"cars.zip has {name!r}, which cannot be written: " in str(refused.value)


class Disk:
    """Content on whose way to the disk an error occurs."""

    def __init__(self, number):
        self.number = number

    def read(self, size):
        raise OSError(self.number, "no")


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, OSError), (errno.EDQUOT, OSError), (errno.EIO, OSError),
        (errno.EROFS, OSError), (errno.EINVAL, UserError), (errno.ENAMETOOLONG, UserError),
    ],
)  # fmt: skip
def test_only_the_disk_s_own_faults_are_no_refusal(number, kind, tmp_path):
    room = Room(tmp_path, ImportPolicy(), "cars.zip")

    with pytest.raises(kind):
        room.take(Entry("a.jpg", Disk(number)))


def test_the_archive_of_a_person_is_kept(files, tmp_path):
    (tmp_path / "cars.zip").write_bytes(zipped(files))

    with opened(str(tmp_path / "cars.zip")):
        pass

    assert (tmp_path / "cars.zip").exists()


def test_a_prefix_has_the_same_limits(object_store):
    Objects(object_store).put("big/a.jpg", b"\0" * 3_000_000)

    with (
        pytest.raises(UserError, match="more than 2 MB"),
        opened(f"{object_store}/big", ImportPolicy(max_mb=2, max_file_mb=2)),
    ):
        pass


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("", "source is '', expected a folder, an archive"),
        ("https://example.com/cars.zip", r"source is 'https://.*', expected a folder"),
        ("no/such/folder", "not there, expected a folder with images"),
        ("no/such/cars.zip", "not there, expected the file of an archive"),
    ],
)
def test_what_is_no_source_is_refused(source, complaint):
    with pytest.raises(UserError, match=complaint), opened(source):
        pass


def test_an_empty_prefix_is_refused(object_store):
    with pytest.raises(UserError, match="holds no objects"), opened(f"{object_store}/nothing"):
        pass
