"""A field's setting, compiled: a column's name, or a sandboxed Jinja expression over the row."""

from dataclasses import dataclass, field

from jinja2 import Template, TemplateError, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

from .model import Row

ENVIRONMENT = ImmutableSandboxedEnvironment(finalize=lambda value: "" if value is None else value)


@dataclass(frozen=True)
class Column:
    """The value of a column, as stored."""

    name: str

    @property
    def reads(self) -> frozenset[str]:
        """The column itself."""
        return frozenset([self.name])

    def value(self, row: Row, parsed: Row) -> object:
        """The stored value."""
        return row[self.name]


@dataclass(frozen=True)
class Expression:
    """A Jinja template whose variables are the row's columns, dates parsed."""

    reads: frozenset[str]
    template: Template = field(compare=False)

    def value(self, row: Row, parsed: Row) -> object:
        """What it renders to; None where this row makes it fail, so that one bad row loses one field only."""
        try:
            return self.template.render(parsed)
        except Exception:  # a row can make an expression raise anything
            return None


def is_expression(setting: str) -> bool:
    """True for what Jinja should read; anything else is a column's name."""
    return "{{" in setting or "{%" in setting


def expression(setting: str) -> Expression:
    """Compile an expression. Raises ValueError with a sentence where it is none; `reads` may name unknown columns."""
    try:
        tree = ENVIRONMENT.parse(setting)
        names = meta.find_undeclared_variables(tree)
        template = ENVIRONMENT.from_string(setting)
    except (TemplateError, SyntaxError, RecursionError, OverflowError) as error:
        raise ValueError(f"not a Jinja expression: {error}") from error
    if list(meta.find_referenced_templates(tree)):
        raise ValueError("an expression cannot include or extend a template; use an entry template for that")
    return Expression(frozenset(names - ENVIRONMENT.globals.keys()), template)
