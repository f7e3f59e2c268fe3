"""Clean the names there are, and fold what rows are searched by. In batches, each its own transaction."""

from django.db import migrations

from linkadmin.providers.names import clean_name, folded

AT_ONCE = 500


def batches(rows):
    """Yield rows in the order of their keys; a batch that is written is not seen again."""
    last = None
    while True:
        batch = list((rows if last is None else rows.filter(pk__gt=last)).order_by('pk')[:AT_ONCE])
        if not batch:
            return
        yield batch
        last = batch[-1].pk


def clean_and_fold(apps, schema_editor):
    for model, name, other in (('EndUser', 'name', 'external_id'), ('Institution', 'display_name', 'name')):
        rows = apps.get_model('links', model).objects
        for batch in batches(rows.all()):
            for row in batch:
                cleaned = clean_name(getattr(row, name)) or getattr(row, other)
                setattr(row, name, cleaned if getattr(row, name) else '')
                row.search = ' '.join(folded(getattr(row, column)) for column in (name, other))
            rows.bulk_update(batch, [name, 'search'])
    clean_integrations(apps.get_model('links', 'Integration').objects)
    write_search(apps, words_of, folded)


def clean_integrations(rows):
    for row in rows.all():
        cleaned = clean_name(row.name)
        if cleaned and cleaned != row.name and not rows.filter(name=cleaned).exists():
            rows.filter(pk=row.pk).update(name=cleaned)


def lower_again(apps, schema_editor):
    """Write what links are searched by as it was: in small letters, with the institution. Names stay clean."""

    def words(link):
        bank = link.institution.display_name if link.institution else ''
        return [*words_of(link), bank]

    write_search(apps, words, str.lower)


def words_of(link):
    return [link.end_user.name, link.end_user.external_id, link.remote_id, link.data_source_id, link.pk]


def write_search(apps, words, fold):
    rows = apps.get_model('links', 'LinkSearch').objects
    for batch in batches(rows.select_related('link__end_user', 'link__institution')):
        for row in batch:
            row.text = ' '.join(fold(str(word)) for word in words(row.link) if word)
        rows.bulk_update(batch, ['text'])


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ('links', '0007_names_and_facts'),
    ]

    operations = [migrations.RunPython(clean_and_fold, lower_again)]
