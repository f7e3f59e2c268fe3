"""The migration that cleans names and folds what rows are searched by: forward, backward, and on with it again."""

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from linkadmin.links.models import EndUser, Institution, LinkSearch
from tests.house import House

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


def migrate(to: str) -> None:
    executor = MigrationExecutor(connection)
    [target] = [key for key in executor.loader.graph.nodes if key[0] == "links" and key[1].endswith(to)]
    executor.migrate([target])


def test_rows_there_are_cleaned_and_folded_forward_and_backward(house: House) -> None:
    link = house.heron_link("Padaria Sao", bank="ITAU UNIBANCO S.A.")
    bare = EndUser.objects.create(external_id="cus-\u202e1", name="")
    # As rows were written before: past the fields that clean and fold.
    with connection.cursor() as cursor:
        cursor.execute("UPDATE links_enduser SET search = ''")
        cursor.execute("UPDATE links_enduser SET name = %s WHERE name <> ''", ["Padaria \u202eSa\u0303o"])
        cursor.execute("UPDATE links_institution SET search = ''")
        cursor.execute(
            "UPDATE links_institution SET display_name = %s WHERE name = %s", ["ITAÚ\u200f S.A.", "ITAU UNIBANCO S.A."]
        )
        cursor.execute("UPDATE links_linksearch SET text = ''")
    try:
        migrate("names_and_facts")
        assert "itaú" in LinkSearch.objects.get(link=link).text  # as it was searched before

        migrate("fold_names")
    finally:
        every = MigrationExecutor(connection)
        every.migrate(every.loader.graph.leaf_nodes())

    customer, bank = EndUser.objects.get(pk=link.end_user_id), Institution.objects.get(pk=link.institution_id)
    assert (customer.name, bank.display_name) == ("Padaria São", "ITAÚ S.A.")
    assert (customer.search, bank.search) == (f"padaria sao {customer.external_id}", "itau s.a. itau unibanco s.a.")
    assert "padaria sao" in LinkSearch.objects.get(link=link).text
    bare.refresh_from_db()
    assert (bare.name, bare.external_id, bare.search) == ("", "cus-\u202e1", " cus-1")
    assert str(link.pk) in house.post("/links/", {"q": "ITAÚ"}).source
