"""The picture library: what a colleague drops on it can be put into any message."""

from __future__ import annotations

import io

import pytest
from django.urls import reverse
from PIL import Image as Pillow

from campaigns.images import library
from campaigns.models import Image
from tests.campaigns.images import pictures
from tests.office import NOW

pytestmark = pytest.mark.django_db
LIST = "admin:campaigns_image_changelist"


@pytest.fixture(autouse=True)
def store(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def take(data: bytes, name: str = "photo.jpg") -> Image:
    return library.take(pictures.upload(data, name), None, NOW)[0]


def kept(store, image: Image, width: int) -> Pillow.Image:
    return Pillow.open(io.BytesIO((store / image.path(width)).read_bytes()))


def test_a_photograph_is_kept_in_the_widths_mail_needs(store):
    image = take(pictures.photo(3000, 2000), "Summer_sale 2.jpg")
    assert (image.name, image.extension, image.width, image.height) == ("Summer sale 2", "jpg", 1200, 800)
    assert image.widths == [1200, 600, 300]
    assert [kept(store, image, width).size for width in image.widths] == [(1200, 800), (600, 400), (300, 200)]


def test_a_small_picture_is_never_blown_up(store):
    assert take(pictures.photo(250, 100)).widths == [250]
    assert take(pictures.photo(450, 100)).widths == [450, 300]


def test_a_logo_one_can_see_through_stays_so(store):
    logo = Pillow.new("RGBA", (400, 100), (200, 30, 30, 0))
    logo.paste((10, 10, 10, 255), (20, 20, 200, 80))
    image = take(pictures.saved(logo, "PNG"), "logo.png")
    assert image.extension == "png"
    shown = kept(store, image, 400)
    assert shown.mode == "RGBA" and shown.getpixel((0, 0))[3] == 0 and shown.getpixel((50, 50))[3] == 255


def test_a_photograph_held_upright_stands_upright(store):
    exif = Pillow.Exif()
    exif[0x0112] = 6
    image = take(pictures.photo(800, 400, exif=exif.tobytes()))
    assert (image.width, image.height) == (400, 800)


@pytest.mark.parametrize("mode", ["CMYK", "L", "1", "P", "I;16"])
def test_pictures_of_every_sort_of_colour_are_taken(store, mode):
    kind = "JPEG" if mode == "CMYK" else "PNG"
    assert take(pictures.saved(Pillow.new(mode, (80, 60)), kind)).width == 80


def test_the_same_picture_twice_is_one_and_is_offered_again(store):
    first = take(pictures.photo(100, 80))
    library.put_away([first.pk], NOW)
    assert list(library.offered()) == []
    again, is_new = library.take(pictures.upload(pictures.photo(100, 80), "other.jpg"), None, NOW)
    assert (again.pk, is_new) == (first.pk, False)
    assert list(library.offered()) == [first]


def test_the_address_is_of_the_narrowest_file_that_is_wide_enough(store):
    image = take(pictures.photo(2000, 1000))
    assert image.url().endswith("-1200.jpg") and image.url(500).endswith("-600.jpg")
    assert image.url(300).endswith("-300.jpg") and image.url(5000).endswith("-1200.jpg")


def test_an_enormous_picture_is_refused_and_says_the_limit(store):
    with pytest.raises(library.Refused, match="more than 25 million pixels"):
        take(pictures.png_that_says(30_000, 30_000), "huge.png")
    assert not list(store.iterdir())


def test_many_are_dropped_at_once_and_each_that_is_not_taken_says_why(ada, store):
    files = [
        pictures.upload(pictures.photo(100, 80), "one.jpg"),
        pictures.upload(pictures.photo(120, 80, "PNG"), "two.png"),
        pictures.upload(b"<svg></svg>", "three.svg"),
        pictures.upload(b"hello", "four.jpg"),
    ]
    answer = ada.post(reverse("admin:campaigns_image_upload"), {"files": files}, follow=True)
    said = [str(message) for message in answer.context["messages"]]
    assert said[0] == "2 pictures were added. Say below what each shows, then save."
    assert said[1].startswith("three.svg: SVG is not taken")
    assert said[2].startswith("four.jpg: It is not a JPEG")
    assert Image.objects.count() == 2
    assert {image.uploaded_by.username for image in Image.objects.all()} == {"ada"}


def test_an_empty_upload_says_what_to_do(ada):
    answer = ada.post(reverse("admin:campaigns_image_upload"), follow=True)
    assert "Choose pictures first" in str(next(iter(answer.context["messages"])))


def test_what_each_shows_is_written_in_the_list(ada, store):
    image = take(pictures.photo(100, 80))
    posted = {
        "form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "form-0-id": image.pk,
        "form-0-alt": "A horn loudspeaker in oak", "_save": "Save",
    }  # fmt: skip
    assert ada.post(reverse(LIST), posted).status_code == 302
    image.refresh_from_db()
    assert image.alt == "A horn loudspeaker in oak"


def test_editors_choose_by_words_from_the_name_or_the_text(ada, store):
    first = take(pictures.photo(100, 80), "oak horn.jpg")
    second = take(pictures.photo(110, 80), "summer.jpg")
    Image.objects.filter(pk=second.pk).update(alt="A horn on the beach")
    gone = take(pictures.photo(120, 80), "old horn.jpg")
    library.put_away([gone.pk], NOW)
    url = reverse("admin:campaigns_image_choose")
    assert {one["url"] for one in ada.get(url, {"q": "horn"}).json()} == {first.url(), second.url()}
    assert ada.get(url, {"q": "horn beach"}).json() == [
        {"url": second.url(), "small": second.url(300), "name": "summer", "alt": "A horn on the beach",
         "width": 110, "height": 80}
    ]  # fmt: skip
    assert ada.get(url, {"q": "nothing\0"}).json() == []


def test_pictures_are_put_away_not_deleted(ada, store):
    image = take(pictures.photo(100, 80))
    chosen = {"_selected_action": [image.pk]}
    assert ada.post(reverse(LIST), {"action": "put_away"} | chosen).status_code == 302
    assert (store / image.path(100)).exists()
    assert image.token not in ada.get(reverse(LIST)).content.decode()
    away = ada.get(reverse(LIST), {"which": "away"}).content.decode()
    assert image.url(300) in away
    assert ada.post(reverse("admin:campaigns_image_delete", args=[image.pk])).status_code == 403


def test_an_empty_library_says_what_it_is_for(ada):
    assert "No pictures yet" in ada.get(reverse(LIST)).content.decode()


def test_the_page_of_one_shows_it_and_its_address(ada, store):
    image = take(pictures.photo(100, 80))
    shown = ada.get(reverse("admin:campaigns_image_change", args=[image.pk])).content.decode()
    assert f'value="{image.url()}"' in shown
