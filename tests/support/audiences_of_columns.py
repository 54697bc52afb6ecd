"""Each text column of the schema, and who may read it on a page."""

NOBODY, RECIPIENTS, RULES, VIEWERS, PEOPLE = "nobody", "recipients", "rules", "viewers", "people"

# RECIPIENTS: with the permission `view_recipients`. RULES: whoever may view anything of the notifier.
# VIEWERS: whoever may view that model. PEOPLE: whoever is signed in.
COLUMNS = {
    NOBODY: """
        auth.user.password notifier.device.token axes.accesslog.session_hash
        notifier.feedback.key
        notifier.devicepush.provider_id notifier.feedback.message_id
        notifier.event.cursor notifier.event.plan notifier.event.causes
        notifier.contentversion.paths
    """,
    RECIPIENTS: """
        notifier.preferences.language notifier.preferences.time_zone notifier.preferences.digest
        notifier.optout.recipient notifier.optout.channel notifier.optout.source
        notifier.suppression.address
        notifier.event.data notifier.event.explanation
        notifier.delivery.recipient notifier.delivery.address
        notifier.allowance.recipient notifier.allowance.about
        notifier.inboxitem.title notifier.inboxitem.text notifier.inboxitem.link notifier.inboxitem.icon
        notifier.inboxitem.about notifier.contactpoint.address notifier.audience.addresses
    """,
    PEOPLE: "notifier.category.name notifier.category.title notifier.category.description",
    RULES: """
        notifier.event.key
        notifier.trigger.name notifier.trigger.verb notifier.trigger.model notifier.trigger.object_pk
        notifier.trigger.on notifier.trigger.condition notifier.trigger.actor_model notifier.trigger.actor_pk
        notifier.trigger.target notifier.trigger.declared
        notifier.template.name notifier.template.description notifier.template.providers
        notifier.template.declared notifier.subscription.order notifier.subscription.channels
        notifier.templatecontent.channel notifier.templatecontent.language notifier.templatecontent.file
        notifier.templatecontent.subject notifier.templatecontent.text notifier.templatecontent.html
        notifier.templatecontent.link notifier.templatecontent.icon
        notifier.contentversion.subject notifier.contentversion.text notifier.contentversion.html
        notifier.contentversion.link notifier.contentversion.icon notifier.contentversion.text_from_html
        notifier.contentversion.whole_text notifier.contentversion.whole_html
        notifier.contentversion.author notifier.contentversion.note
        notifier.audience.name notifier.audience.paths notifier.audience.callables notifier.audience.declared
        notifier.pause.scope notifier.pause.reason notifier.pause.paused_by
        notifier.event.verb notifier.event.action_object notifier.event.actor notifier.event.status
        notifier.event.reason notifier.event.dead_ends
        notifier.delivery.channel notifier.delivery.language notifier.delivery.time_zone
        notifier.delivery.status notifier.delivery.reason notifier.delivery.detail
        notifier.delivery.provider_id notifier.delivery.returned notifier.delivery.follows
        notifier.delivery.followed_by notifier.attempt.status notifier.attempt.reason
        notifier.attempt.detail notifier.attempt.provider_id
        notifier.feedback.kind notifier.feedback.detail
        notifier.hourlycount.channel notifier.hourlycount.status
        notifier.rulecount.channel notifier.rulecount.status notifier.gauge.name notifier.canary.route
        notifier.rate.name notifier.budget.channel notifier.spending.channel
        notifier.suppression.channel notifier.suppression.reason notifier.suppression.detail
        notifier.contactpoint.channel
        notifier.device.platform
    """,
    VIEWERS: """
        auth.user.username auth.user.first_name auth.user.last_name auth.user.email
        auth.permission.name auth.permission.codename auth.group.name
        admin.logentry.object_id admin.logentry.object_repr admin.logentry.change_message
        axes.accessfailurelog.user_agent axes.accessfailurelog.username axes.accessfailurelog.http_accept
        axes.accessfailurelog.path_info axes.accessattempt.user_agent axes.accessattempt.username
        axes.accessattempt.http_accept axes.accessattempt.path_info axes.accessattempt.get_data
        axes.accessattempt.post_data axes.accesslog.user_agent axes.accesslog.username
        axes.accesslog.http_accept axes.accesslog.path_info
        demo.profile.phone demo.flashsale.title demo.flashsale.description demo.flashsale.url
        demo.post.title demo.post.body demo.movie.title notifier.device.endpoint_arn
    """,
}
READER = {column: reader for reader, columns in COLUMNS.items() for column in columns.split()}
# A page of another model names it: what is chosen by its name there.
NAMED_ON = {
    "auth.group.name": {"auth.user", "notifier.audience"},
    "auth.permission.name": {"auth.user", "auth.group"},
    "demo.movie.title": set(),
}
# The person's own row says whose it is on the pages of these.
OF_A_PERSON = {"demo.profile", "demo.movie", "notifier.audience"}
