"""F2: what is uploaded as a picture leaves as a plain picture, or not at all."""

from __future__ import annotations

import io
import re
import struct
import zlib
from time import monotonic

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, override_settings
from django.urls import reverse
from PIL import Image as Pillow

from campaigns.images import decoding, library
from campaigns.models import Image
from tests.campaigns.images import pictures
from tests.office import NOW

pytestmark = [pytest.mark.proof, pytest.mark.django_db]

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(document.domain)</script></svg>'
# Opens as a GIF, and reads as a script: its size is blanks and ends of lines, then a comment hides the rest.
POLYGLOT = (
    b"GIF89a  \n\n/*\0" + b"," + bytes(4) + b"\1\0\1\0\x80" + b"\0\0\0\xff\xff\xff" + b"\2\2D\1\0;"
    b"*/=1;alert(document.domain)//"
)


@pytest.fixture(autouse=True)
def store(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def take(data: bytes, name: str = "photo.jpg") -> Image:
    return library.take(SimpleUploadedFile(name, data), None, NOW)[0]


def files(store) -> list:
    return [path for path in store.rglob("*") if path.is_file()]


@pytest.mark.parametrize("name", ["logo.svg", "logo.png", "logo.jpg"])
@pytest.mark.parametrize("before", [b"", b'<?xml version="1.0"?>\n', b"\xef\xbb\xbf \n<!-- a drawing -->"])
def test_a_drawing_with_a_script_is_refused_and_says_what_to_do(store, name, before):
    with pytest.raises(library.Refused, match=r"SVG is not taken.*Save it as PNG"):
        take(before + SVG, name)
    assert files(store) == [] and not Image.objects.exists()


def test_a_gif_that_is_a_script_too_leaves_as_a_picture_alone(store):
    assert Pillow.open(io.BytesIO(POLYGLOT)).format == "GIF"
    image = take(POLYGLOT, "cat.gif")
    assert image.extension in ("png", "jpg")
    assert len(files(store)) == 3
    for file in files(store):
        data = file.read_bytes()
        assert b"alert" not in data and not data.startswith(b"GIF")
        assert Pillow.open(io.BytesIO(data)).format in ("PNG", "JPEG")


@pytest.mark.parametrize(
    "tail", [b"<script>alert(1)</script>", b"PK\x03\x04" + b"\0" * 60, b"%PDF-1.7 /JS (app.alert(1))"]
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
def test_what_hangs_behind_a_picture_is_gone(store, kind, tail):
    take(pictures.photo(200, 100, kind) + tail)
    assert files(store)
    for file in files(store):
        assert tail[:12] not in file.read_bytes()


@pytest.mark.parametrize("width, height", [(30_000, 30_000), (100_000, 1), (1, 2**31 - 1), (5001, 5000)])
def test_a_picture_that_says_it_is_enormous_is_refused_before_it_is_opened(store, width, height):
    began = monotonic()
    with pytest.raises(library.Refused, match=r"million pixels|damaged"):
        take(pictures.png_that_says(width, height), "huge.png")
    assert monotonic() - began < 30
    assert files(store) == []


def test_an_animated_bomb_costs_no_more_than_its_first_picture(store):
    began = monotonic()
    image = take(pictures.moving_gif(3000), "bomb.gif")
    assert monotonic() - began < 30
    assert (image.width, image.height) == (64, 64)
    for file in files(store):
        assert getattr(Pillow.open(file), "n_frames", 1) == 1


def test_a_text_that_unpacks_to_much_more_is_not_unpacked(store):
    plain = pictures.photo(40, 30, "PNG")
    body = b"Comment\0\0" + zlib.compress(b"A" * 80_000_000, 9)
    chunk = struct.pack(">I", len(body)) + b"zTXt" + body + struct.pack(">I", zlib.crc32(b"zTXt" + body))
    try:
        take(plain[:33] + chunk + plain[33:], "text.png")
    except library.Refused:
        return
    assert all(b"AAAA" not in file.read_bytes() and file.stat().st_size < 10_000 for file in files(store))


@pytest.mark.parametrize(
    "name",
    ["../../../etc/passwd", "..\\..\\boot.ini", "/etc/cron.d/x", "a/../../b.jpg", "x\0.jpg", "C:\\a.png",
     "con.jpg", ".htaccess", "a" * 4000 + ".jpg", "<script>.jpg"],
)  # fmt: skip
def test_no_name_leads_out_of_the_store(store, name):
    file = pictures.upload(pictures.photo(60, 40))
    # A form would have cleaned it; nothing here relies on that.
    file._name = name
    image = library.take(file, None, NOW)[0]
    for kept in files(store):
        assert re.fullmatch(r"images/[0-9a-f]{2}/[0-9a-f]{32}-\d+\.(jpg|png)", str(kept.relative_to(store)))
    assert len(image.name) <= 120 and "/" not in image.name and "\\" not in image.name


def test_the_ending_of_the_name_counts_for_nothing(store):
    assert take(pictures.photo(80, 60, "PNG"), "really-a-png.exe").extension == "png"
    assert take(pictures.photo(90, 60, "JPEG"), "really-a-jpeg.svg").extension == "jpg"
    for data in (
        b"<html><script>alert(1)</script></html>",
        b"MZ\x90\0" * 50,
        b"%PDF-1.7",
        b"",
        b"BM" + b"\0" * 90,
    ):
        with pytest.raises(library.Refused):
            take(data, "picture.jpg")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
def test_a_file_cut_off_is_refused_or_a_whole_picture(store, kind):
    whole = pictures.photo(300, 200, kind)
    for share in (0.05, 0.5, 0.9):
        try:
            take(whole[: int(len(whole) * share)])
        except library.Refused as refused:
            assert "." in str(refused)
    for file in files(store):
        Pillow.open(file).load()


def test_place_camera_and_comments_are_not_kept(store):
    exif = Pillow.Exif()
    exif[0x010F], exif[0x8298] = "SECRETCAMERA", "SECRETOWNER"
    exif.get_ifd(0x8825)[2] = (52.0, 22.0, 12.0)
    take(pictures.photo(300, 200, exif=exif.tobytes(), comment=b"SECRETCOMMENT"))
    for file in files(store):
        data = file.read_bytes()
        assert b"SECRET" not in data
        found = Pillow.open(io.BytesIO(data))
        assert not found.getexif() and {"exif", "comment", "icc_profile"} & set(found.info) == set()


def test_a_file_too_large_is_refused_before_it_is_read(store):
    class Large:
        name, size = "large.jpg", library.MOST_BYTES + 1

        def read(self) -> bytes:
            raise AssertionError("was read")

    with pytest.raises(library.Refused, match="larger than 20 MB"):
        library.take(Large(), None, NOW)


def test_a_decoder_that_devours_memory_or_dies_refuses_one_picture(monkeypatch):
    monkeypatch.setattr(decoding.sys, "executable", "/bin/false")
    with pytest.raises(library.Refused, match="too much memory or time"):
        take(pictures.photo(60, 40))


def test_a_picture_is_served_so_that_no_browser_makes_a_page_of_it(store):
    image = take(pictures.photo(700, 500))
    path = image.url().removeprefix("http://m.localhost:8000")
    assert path.startswith("/i/")
    answer = Client().get(path)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "image/jpeg"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer["Content-Disposition"].startswith("attachment; filename=")
    assert "max-age=31536000" in answer["Cache-Control"] and "immutable" in answer["Cache-Control"]
    assert not answer.cookies
    assert b"".join(answer.streaming_content) == (store / image.path(700)).read_bytes()
    assert Client().post(path).status_code == 405


def test_the_admins_own_host_serves_no_uploaded_picture(store):
    image = take(pictures.photo(70, 50))
    hosts = {
        "REKINDLE_ADMIN_URL": "https://crm.shop.test",
        "REKINDLE_PUBLIC_URL": "https://m.shop.test",
        "ALLOWED_HOSTS": ["crm.shop.test", "m.shop.test"],
        "SECURE_SSL_REDIRECT": False,
    }
    with override_settings(**hosts):
        path = image.url().removeprefix("https://m.shop.test")
        assert Client().get(path, headers={"host": "m.shop.test"}).status_code == 200
        assert Client().get(path, headers={"host": "crm.shop.test"}).status_code == 404
        assert Client().get(path, headers={"host": "CRM.shop.test:443"}).status_code == 404


@pytest.mark.parametrize(
    "path",
    ["/i/../../keys/secret_key", "/i/%2e%2e/%2e%2e/keys/secret_key", "/i/" + "0" * 32 + "-1200.svg",
     "/i/" + "g" * 32 + "-1200.jpg", "/i/" + "0" * 32 + "-1200.jpg", "/i/" + "0" * 32 + "-99999.png",
     "/i/..%2f..%2fkeys%2fsecret_key-1.jpg", "/i/" + "0" * 32 + "-٣٠٠.jpg", "/media/images/", "/i/"],
)  # fmt: skip
def test_no_other_path_opens_a_file(store, path):
    take(pictures.photo(70, 50))
    assert Client().get(path).status_code == 404


def test_the_upload_needs_its_permission_and_a_token(store, sten, vera, ada):
    url = reverse("admin:campaigns_image_upload")
    for client in (sten, vera):
        assert client.post(url, {"files": pictures.upload(pictures.photo(60, 40))}).status_code == 403
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = ada.cookies
    assert strict.post(url, {"files": pictures.upload(pictures.photo(60, 40))}).status_code == 403
    assert files(store) == []
