"""Reading a page as a browser does: what it links to, which places it has, what it says."""

from html.parser import HTMLParser

VOID = {"meta", "link", "img", "br", "input", "hr"}


class Page(HTMLParser):
    """links, ids, images (attributes of each), text of the body, and tables (rows of cells' texts).

    An element that is not closed, or an id that is there twice, is an error.
    """

    def __init__(self, text):
        super().__init__()
        self.links, self.ids, self.images, self.tables, self.words = [], [], [], [], []
        self.open = []
        self.feed(text)
        self.close()
        assert not self.open
        assert len(set(self.ids)) == len(self.ids)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.links += [found[name] for name in ("href", "src") if name in found]
        self.ids += [found["id"]] if "id" in found else []
        if tag == "img":
            self.images.append(found)
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if tag in ("td", "th"):
            self.tables[-1][-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("script", "style", "title"):
            self.words.append(data)
            if {"td", "th"} & set(self.open):
                self.tables[-1][-1][-1] += data
