"""The words of the made catalogue and of its shoppers, in English and in Chinese."""

from dataclasses import dataclass
from typing import Final

__all__ = ["COLOURS_IN_TITLES", "WORDS", "Words"]


@dataclass(frozen=True)
class Words:
    """The words of one language.

    Attributes:
        categories: name of each category, and the nouns that shoppers use for its items; titles use
            the first noun.
        colours, materials: adjectives of titles and queries.
        brands: names of brands.
        title: format of a title.
        query: format of a query with an adjective and a noun.
    """

    categories: tuple[tuple[str, tuple[str, ...]], ...]
    colours: tuple[str, ...]
    materials: tuple[str, ...]
    brands: tuple[str, ...]
    title: str
    query: str


def _categories(text: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Read categories from lines like `name: noun, noun`."""
    pairs = (line.split(":") for line in text.split("\n") if ":" in line)
    return tuple(
        (name.strip(), tuple(noun.strip() for noun in nouns.split(","))) for name, nouns in pairs
    )


_ENGLISH: Final = Words(
    categories=_categories("""
        mugs: mug, cup
        lamps: lamp, light
        backpacks: backpack, rucksack
        shoes: shoe, sneaker
        jackets: jacket, coat
        chairs: chair, seat
        watches: watch, wristwatch
        headphones: headphones, headset
        umbrellas: umbrella, parasol
        carpets: carpet, rug
        mirrors: mirror, vanity
        pillows: pillow, cushion
        notebooks: notebook, notepad
        bottles: bottle, flask
        kettles: kettle, teapot
        scarves: scarf, shawl
        gloves: gloves, mittens
        wallets: wallet, purse
        clocks: clock, timepiece
        frames: frame, easel
        vases: vase, planter
        blankets: blanket, throw
        knives: knife, blade
        candles: candle, tealight
    """),
    colours=("red", "blue", "green", "black", "white", "yellow", "pink", "grey"),
    materials=("steel", "wooden", "cotton", "leather", "glass", "bamboo"),
    brands=(
        "Alder",
        "Brio",
        "Corin",
        "Delmar",
        "Elwood",
        "Fenn",
        "Gable",
        "Harrow",
        "Isla",
        "Juno",
    ),
    title="{brand} {colour} {material} {noun} {number}",
    query="{word} {noun}",
)

_CHINESE: Final = Words(
    categories=_categories("""
        杯子: 马克杯, 水杯
        灯具: 台灯, 照明灯
        背包: 双肩包, 书包
        鞋子: 运动鞋, 球鞋
        外套: 夹克, 大衣
        椅子: 靠背椅, 座椅
        手表: 腕表, 手表
        耳机: 头戴耳机, 耳麦
        雨伞: 折叠伞, 雨伞
        地毯: 地毯, 脚垫
        镜子: 化妆镜, 梳妆镜
        枕头: 枕头, 抱枕
        本子: 笔记本, 记事本
        水壶: 保温瓶, 运动水壶
        茶壶: 电热壶, 茶壶
        围巾: 围巾, 披肩
        手套: 手套, 连指手套
        钱包: 钱包, 皮夹
        钟表: 挂钟, 闹钟
        相框: 相框, 画框
        花瓶: 花瓶, 花盆
        毯子: 毛毯, 盖毯
        刀具: 菜刀, 水果刀
        蜡烛: 香薰蜡烛, 烛台
    """),
    colours=("红色", "蓝色", "绿色", "黑色", "白色", "黄色", "粉色", "灰色"),
    materials=("不锈钢", "实木", "纯棉", "真皮", "玻璃", "竹制"),
    brands=("雅集", "青禾", "木语", "云舍", "南山", "初白", "物生", "知夏", "素然", "良品"),
    title="{brand}{colour}{material}{noun} {number}",
    query="{word}{noun}",
)

WORDS: Final = {"en": _ENGLISH, "zh": _CHINESE}

COLOURS_IN_TITLES: Final = (
    "red",
    "blue",
    "green",
    "black",
    "white",
    "pink",
    "cream",
    "ivory",
    "silver",
    "gold",
)
"""The colours that the excerpt's titles name."""
