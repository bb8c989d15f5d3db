"""Makes the small pictures in pictures/ and the broken ones in hostile/. All of them are drawn here.

    python3 -m venv /tmp/pictures && /tmp/pictures/bin/pip install pillow
    /tmp/pictures/bin/python classifier/tests/make_pictures.py

The flag: 48 x 32 pixels, four rectangles, each in a colour of its own, so that every way of turning it shows:

    red   | green
    ------+-------
    blue  | yellow
"""

import io
import struct
import zlib
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter

HERE = Path(__file__).parent
WIDTH, HEIGHT = 48, 32
RED, GREEN, BLUE, YELLOW = (230, 20, 30), (20, 200, 60), (30, 60, 220), (250, 230, 40)


def flag():
    picture = Image.new("RGB", (WIDTH, HEIGHT))
    draw = ImageDraw.Draw(picture)
    for left, top, colour in [(0, 0, RED), (24, 0, GREEN), (0, 16, BLUE), (24, 16, YELLOW)]:
        draw.rectangle([left, top, left + 23, top + 15], fill=colour)
    return picture


def plate(width, height):
    """Something like food on a plate, smooth enough to compress well."""
    picture = Image.new("RGB", (width, height), (120, 84, 58))
    draw = ImageDraw.Draw(picture)
    unit = min(width, height) / 100

    def ellipse(x, y, rx, ry, colour):
        cx, cy = width / 2 + x * unit, height / 2 + y * unit
        draw.ellipse([cx - rx * unit, cy - ry * unit, cx + rx * unit, cy + ry * unit], fill=colour)

    ellipse(0, 0, 46, 44, (236, 232, 224))
    ellipse(0, 0, 36, 34, (214, 96, 34))
    for index in range(14):
        x, y = (index * 37) % 50 - 25, (index * 53) % 44 - 22
        ellipse(x, y, 5, 3, [(84, 132, 40), (240, 206, 120), (150, 40, 30)][index % 3])
    return picture.filter(ImageFilter.GaussianBlur(unit * 0.8))


def save(name, picture, **options):
    picture.save(HERE / "pictures" / name, **options)


def bytes_of(picture, form, **options):
    file = io.BytesIO()
    picture.save(file, form, **options)
    return file.getvalue()


def exif(orientation):
    data = Image.Exif()
    data[0x0112] = orientation
    return data


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, depth, colour, rows, *more):
    """A PNG of depths that Pillow does not write; rows are packed already."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    data = zlib.compress(b"".join(b"\0" + row for row in rows), 9)
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(more) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def rows_of(picture, pack):
    return [b"".join(pack(picture.getpixel((x, y))) for x in range(picture.width)) for y in range(picture.height)]


def interlaced_png(picture):
    """Adam7, RGB."""
    data = b""
    for x0, y0, dx, dy in [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]:
        for y in range(y0, picture.height, dy):
            data += b"\0" + b"".join(bytes(picture.getpixel((x, y))) for x in range(x0, picture.width, dx))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", picture.width, picture.height, 8, 2, 0, 0, 1))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(data, 9)) + chunk(b"IEND", b"")


def without_segment(jpeg, marker):
    """A JPEG without its segments FF `marker`."""
    out, position = jpeg[:2], 2
    while jpeg[position + 1] != 0xDA:
        length = struct.unpack(">H", jpeg[position + 2:position + 4])[0] + 2
        if jpeg[position + 1] != marker:
            out += jpeg[position:position + length]
        position += length
    return out + jpeg[position:]


def pictures():
    (HERE / "pictures").mkdir(exist_ok=True)
    picture = flag()
    clear = {"quality": 95, "subsampling": 0}
    save("baseline.jpg", picture, **clear)
    save("subsampled.jpg", picture, quality=90, subsampling=2)
    save("progressive.jpg", picture, progressive=True, **clear)
    save("gray.jpg", picture.convert("L"), quality=95)
    cmyk = picture.convert("CMYK")
    save("cmyk-adobe.jpg", cmyk, quality=95)
    # Without Adobe's segment the same inks are stored as they are, not inverted.
    inverted = Image.eval(cmyk, lambda value: 255 - value)
    (HERE / "pictures/cmyk-plain.jpg").write_bytes(without_segment(bytes_of(inverted, "JPEG", quality=95), 0xEE))
    # How the upright flag is stored for each orientation: the inverse of what the viewer has to do.
    stored = {1: None, 2: Image.FLIP_LEFT_RIGHT, 3: Image.ROTATE_180, 4: Image.FLIP_TOP_BOTTOM, 5: Image.TRANSPOSE,
              6: Image.ROTATE_90, 7: Image.TRANSVERSE, 8: Image.ROTATE_270}
    for orientation, turn in stored.items():
        turned = picture if turn is None else picture.transpose(turn)
        save(f"orientation-{orientation}.jpg", turned, exif=exif(orientation), **clear)
    save("orientation-6.png", picture.transpose(Image.ROTATE_90), exif=exif(6))
    save("orientation-6.webp", picture.transpose(Image.ROTATE_90), exif=exif(6), lossless=True)

    save("rgb.png", picture)
    save("gray.png", picture.convert("L"))
    save("bilevel.png", picture.convert("1", dither=Image.NONE))
    save("palette.png", picture.convert("P", palette=Image.ADAPTIVE, colors=8))
    see_through = picture.convert("RGBA")
    # Opaque on the left, half transparent on the right.
    see_through.putalpha(Image.eval(Image.linear_gradient("L").rotate(90).resize(picture.size), lambda _: 255))
    see_through.paste((*GREEN, 128), [24, 0, 48, 16])
    see_through.paste((*YELLOW, 0), [24, 16, 48, 32])
    save("rgba.png", see_through)
    save("gray-alpha.png", see_through.convert("LA"))
    transparent = picture.convert("P", palette=Image.ADAPTIVE, colors=4)
    save("palette-transparent.png", transparent, transparency=transparent.getpixel((40, 24)))
    wide = rows_of(picture, lambda pixel: b"".join(struct.pack(">H", value * 257) for value in pixel))
    (HERE / "pictures/rgb16.png").write_bytes(png(WIDTH, HEIGHT, 16, 2, wide))
    wide = rows_of(see_through, lambda pixel: b"".join(struct.pack(">H", value * 257) for value in pixel))
    (HERE / "pictures/rgba16.png").write_bytes(png(WIDTH, HEIGHT, 16, 6, wide))
    wide = rows_of(picture.convert("L"), lambda value: struct.pack(">H", value * 257))
    (HERE / "pictures/gray16.png").write_bytes(png(WIDTH, HEIGHT, 16, 0, wide))
    (HERE / "pictures/interlaced.png").write_bytes(interlaced_png(picture))

    save("lossy.webp", picture, quality=95)
    save("lossless.webp", picture, lossless=True)
    save("alpha.webp", see_through, lossless=True, exact=True)
    save("alpha-lossy.webp", see_through, quality=95, exact=True)
    other = Image.new("RGB", picture.size, (255, 255, 255))
    save("animated.webp", picture, save_all=True, append_images=[other], lossless=True, duration=100)
    save("plain.gif", picture)
    save("animated.gif", picture, save_all=True, append_images=[other], duration=100)
    save("transparent.gif", transparent, transparency=transparent.getpixel((40, 24)))

    save("plate.jpg", plate(1200, 900), quality=80)
    save("plate-progressive.jpg", plate(900, 1200), quality=80, progressive=True)
    save("plate.png", plate(160, 120))
    save("plate.webp", plate(640, 480), quality=80)


def webp(*chunks):
    body = b"WEBP" + b"".join(name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2) for name, data in chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def hostile():
    (HERE / "hostile").mkdir(exist_ok=True)

    def write(name, data):
        (HERE / "hostile" / name).write_bytes(data)

    picture = flag()
    files = {
        "jpg": bytes_of(picture, "JPEG", quality=95),
        "progressive.jpg": bytes_of(picture, "JPEG", quality=95, progressive=True),
        "png": bytes_of(picture, "PNG"),
        "webp": bytes_of(picture, "WEBP", lossless=True),
        "lossy.webp": bytes_of(picture, "WEBP", quality=90),
        "gif": bytes_of(picture, "GIF"),
    }
    for name, data in files.items():
        write(f"truncated-header.{name}", data[:20])
        write(f"truncated-middle.{name}", data[:len(data) * 2 // 3])
    write("empty", b"")
    write("text.jpg", b"This is no picture at all, whatever its name says.\n")
    write("bitmap.bmp", bytes_of(picture, "BMP"))
    write("picture.tiff", bytes_of(picture, "TIFF"))
    write("page.svg", b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>')

    # Too many pixels, in a few bytes.
    write("bomb.png", png(50_000, 50_000, 8, 2, [b"\0" * 100]))
    write("bomb-wide.png", png(2**31 - 1, 1, 16, 6, [b"\0" * 100]))
    huge = bytearray(files["jpg"])
    frame = huge.find(b"\xff\xc0")
    huge[frame + 5:frame + 9] = struct.pack(">HH", 65_000, 65_000)
    write("bomb.jpg", bytes(huge))
    write("bomb.gif", b"GIF89a" + struct.pack("<HH", 65_535, 65_535) + files["gif"][10:])
    canvas = lambda width, height: struct.pack("<I", 0) + struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    lossy = files["lossy.webp"]
    size = lossy.find(b"\x9d\x01\x2a") + 3
    inner = bytearray(lossy[20:])
    write("bomb-canvas.webp", webp((b"VP8X", canvas(16_384, 16_384)), (b"VP8 ", bytes(inner))))
    inner[size - 20:size - 16] = struct.pack("<HH", 16_383, 16_383)
    write("bomb-frame.webp", webp((b"VP8X", canvas(WIDTH, HEIGHT)), (b"VP8 ", bytes(inner))))

    # No pixels at all.
    write("zero.png", png(0, 32, 8, 2, [b""]))
    zero = bytearray(files["jpg"])
    zero[frame + 5:frame + 7] = b"\0\0"
    write("zero.jpg", bytes(zero))
    write("zero.gif", b"GIF89a" + struct.pack("<HH", 0, 0) + files["gif"][10:])
    # A frame that leaves its canvas.
    frame_start = files["gif"].find(b"\x2c", 13 + 3 * 2 ** ((files["gif"][10] & 7) + 1))
    outside = bytearray(files["gif"])
    outside[frame_start + 1:frame_start + 5] = struct.pack("<HH", 60_000, 60_000)
    write("outside.gif", bytes(outside))
    outside = bytearray(files["gif"])
    outside[frame_start + 5:frame_start + 9] = struct.pack("<HH", 65_535, 65_535)
    write("frame-too-large.gif", bytes(outside))

    # A thousand scans that each visit every block again.
    progressive = files["progressive.jpg"]
    scan = progressive.find(b"\xff\xda")
    next_scan = progressive.find(b"\xff\xda", scan + 2)
    tables = progressive.rfind(b"\xff\xc4", 0, next_scan) if progressive.rfind(b"\xff\xc4", 0, next_scan) > scan else next_scan
    write("thousand-scans.jpg", progressive[:scan] + progressive[scan:tables] * 1000 + progressive[tables:])

    # Metadata that unpacks to a hundred megabytes: read as a picture, the metadata left alone.
    bomb = zlib.compress(b"\0" * 100_000_000, 9)
    rows = rows_of(picture, bytes)
    write("profile-bomb.png", png(WIDTH, HEIGHT, 8, 2, rows, chunk(b"iCCP", b"icc\0\0" + bomb)))
    write("text-bomb.png", png(WIDTH, HEIGHT, 8, 2, rows, chunk(b"zTXt", b"text\0\0" + bomb)))
    write("pixels-too-few.png", png(WIDTH, HEIGHT, 8, 2, rows[:5]))

    # EXIF that makes no sense: read as a picture, upright.
    for name, tiff in {
        "exif-orientation-99.jpg": b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x63\0\0\0\0\0\0\0",
        "exif-offset.jpg": b"II*\0\xff\xff\xff\xff",
        "exif-count.jpg": b"MM\0*\0\0\0\x08\xff\xff\x01\x12\0\x03\xff\xff\xff\xff\0\x06\0\0",
        "exif-empty.jpg": b"",
    }.items():
        segment = b"Exif\0\0" + tiff
        write(name, files["jpg"][:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + files["jpg"][2:])

    # Found by the fuzzer in another shape: a chunk of EXIF that claims to be as long as a length can say.
    lossless = webp((b"VP8X", struct.pack("<I", 8) + canvas(WIDTH, HEIGHT)[4:]), (b"VP8L", files["webp"][20:]))
    write("exif-four-gigabytes.webp", lossless + b"EXIF" + struct.pack("<I", 0xFFFFFFFE) + b"II*\0")

    write("arithmetic.jpg", files["jpg"].replace(b"\xff\xc0", b"\xff\xc9", 1))
    write("twelve-bits.jpg", bytes(files["jpg"][:frame + 4]) + b"\x0c" + files["jpg"][frame + 5:])
    write("no-tables.jpg", without_segment(without_segment(files["jpg"], 0xC4), 0xDB))


pictures()
hostile()
